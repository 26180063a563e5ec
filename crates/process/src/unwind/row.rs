//! One row of an unwind table: how to compute the CFA and the caller's registers
//! (DWARF 5 § 6.4.1), detached from the section it was read from.

use gimli::{EndianSlice, Evaluation, EvaluationResult, Expression, RunTimeEndian};

use super::budget::take;
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Facts, Register, Registers};
use obit_corefile::memory::Cursor;
use obit_corefile::notice::RowProblem;

/// The reader of CFI sections.
pub(super) type Slice<'m> = EndianSlice<'m, RunTimeEndian>;

/// How the CFA is found.
#[derive(Clone, Debug)]
pub(super) enum Cfa<'m> {
    /// A register's value plus an offset in bytes.
    RegisterOffset(Register, i64),
    /// A DWARF expression.
    Expression(Expression<Slice<'m>>),
}

/// How one register of the caller is found.
#[derive(Clone, Debug)]
pub(super) enum Rule<'m> {
    /// It cannot be recovered.
    Undefined,
    /// The callee left it as it was.
    SameValue,
    /// Saved at CFA + offset.
    Offset(i64),
    /// It is CFA + offset.
    ValOffset(i64),
    /// In another register.
    Register(Register),
    /// Saved at the address the expression gives.
    Expression(Expression<Slice<'m>>),
    /// The value the expression gives.
    ValExpression(Expression<Slice<'m>>),
    /// A number.
    Constant(u64),
}

/// Which of the caller's registers a function preserves if its row has no rule for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Convention {
    /// The callee-saved registers of the psABI.
    Platform,
    /// Go's: none but the frame pointer, which its tables do not mention.
    Go,
}

/// The rules in force at one pc.
#[derive(Clone, Debug)]
pub(super) struct Row<'m> {
    pub(super) cfa: Cfa<'m>,
    /// Registers that have a rule.
    pub(super) rules: Vec<(Register, Rule<'m>)>,
    /// The column that holds the return address.
    pub(super) return_address: Register,
    /// Augmentation `S`: the frame the kernel made for a signal handler.
    pub(super) is_signal: bool,
    /// What the function keeps unless a rule says otherwise.
    pub(super) convention: Convention,
    /// For expressions: address size and version of the table.
    pub(super) encoding: gimli::Encoding,
}

/// What a row says about the caller.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) cfa: Avma,
    /// `pc` included, unless there is none: the outermost frame.
    pub(super) registers: Registers,
    /// The return address; `None` when its rule is "undefined": the end of the stack.
    pub(super) pc: Option<Avma>,
}

/// What is needed to apply a row.
pub(super) struct Context<'c, 'm> {
    pub(super) facts: &'static Facts,
    pub(super) memory: &'c mut Cursor<'m>,
    /// Operations of one expression at most.
    pub(super) steps: u32,
    /// See [`code_address`].
    pub(super) code_mask: u64,
    /// Operations that all expressions of the process may still take.
    pub(super) operations: &'c mut usize,
}

impl Context<'_, '_> {
    /// A register that was saved at `at`.
    fn saved(&mut self, at: Avma) -> Option<u64> {
        let at = self.facts.wrap(at.0);
        self.memory.read_unsigned(Avma(at), usize::from(self.facts.word)).ok()
    }
}

impl Row<'_> {
    /// Computes the caller of a frame with `callee` registers. `leaf` says that the
    /// frame was interrupted rather than left by a call, so that its link register is
    /// still its own.
    ///
    /// # Errors
    /// When the CFA or the return address cannot be computed.
    pub(super) fn apply(
        &self,
        callee: &Registers,
        leaf: bool,
        context: &mut Context<'_, '_>,
    ) -> Result<Caller, RowProblem> {
        let cfa = self.canonical_frame_address(callee, context)?;
        let facts = context.facts;
        let mut registers = Registers::default();
        match self.convention {
            Convention::Platform => {
                for register in facts.callee_saved {
                    registers.set(*register, callee.get(*register));
                }
            }
            Convention::Go => {
                for base in facts.segment_bases {
                    registers.set(*base, callee.get(*base));
                }
                registers.set(facts.fp, go_frame_pointer(cfa, callee, context));
            }
        }
        // A call leaves the stack pointer where the callee's frame began (psABI), unless
        // the row says otherwise.
        registers.set(facts.sp, Some(facts.wrap(cfa.offset(facts.cfa_to_sp).0)));
        let mut pc_rule = None;
        for (register, rule) in &self.rules {
            if *register == self.return_address {
                pc_rule = Some(rule);
            }
            let value = self.value(*register, rule, cfa, callee, context);
            registers.set(*register, value.map(|value| facts.wrap_register(value)));
        }
        let pc = match pc_rule {
            Some(Rule::Undefined) => None,
            Some(_) => match registers.get(self.return_address) {
                Some(pc) => Some(pc),
                None => return Err(RowProblem::ReturnUnreadable { cfa }),
            },
            // No rule: the call's return address is still in the link register.
            None => match facts.link.filter(|_| leaf) {
                Some(link) => {
                    let pc = callee.get(link);
                    Some(pc.ok_or(RowProblem::ReturnRegister)?)
                }
                None => return Err(RowProblem::ReturnRule),
            },
        };
        let pc = pc.map(|pc| code_address(pc, facts, context.code_mask));
        registers.set(facts.pc, pc.map(|pc| pc.0));
        Ok(Caller { cfa, registers, pc })
    }

    fn canonical_frame_address(
        &self,
        callee: &Registers,
        context: &mut Context<'_, '_>,
    ) -> Result<Avma, RowProblem> {
        let value = match &self.cfa {
            Cfa::RegisterOffset(register, offset) => {
                let name = context.facts.register_name(*register);
                let base = callee.get(*register);
                base.ok_or(RowProblem::CfaRegister { name })?.wrapping_add_signed(*offset)
            }
            Cfa::Expression(expression) => {
                let value = self.evaluate(*expression, None, callee, context);
                value.ok_or(RowProblem::CfaExpression)?
            }
        };
        Ok(Avma(context.facts.wrap(value)))
    }

    /// The caller's value of `register` by `rule`.
    fn value(
        &self,
        register: Register,
        rule: &Rule<'_>,
        cfa: Avma,
        callee: &Registers,
        context: &mut Context<'_, '_>,
    ) -> Option<u64> {
        match rule {
            Rule::Undefined => None,
            Rule::SameValue => callee.get(register),
            Rule::Offset(offset) => context.saved(cfa.offset(*offset)),
            Rule::ValOffset(offset) => Some(cfa.offset(*offset).0),
            Rule::Register(other) => callee.get(*other),
            Rule::Expression(expression) => {
                let at = self.evaluate(*expression, Some(cfa), callee, context)?;
                context.saved(Avma(at))
            }
            Rule::ValExpression(expression) => {
                self.evaluate(*expression, Some(cfa), callee, context)
            }
            Rule::Constant(value) => Some(*value),
        }
    }

    /// Evaluates a CFI expression; `initial` is the CFA for register rules (§ 6.4.2.3:
    /// it is on the stack when the expression starts).
    fn evaluate(
        &self,
        expression: Expression<Slice<'_>>,
        initial: Option<Avma>,
        callee: &Registers,
        context: &mut Context<'_, '_>,
    ) -> Option<u64> {
        let mask = if self.encoding.address_size == 4 { 0xffff_ffff } else { u64::MAX };
        let mut evaluation: Evaluation<Slice<'_>> = expression.evaluation(self.encoding);
        // Compilers and linkers write no loops here: each operation runs once.
        let operations = expression.0.len().saturating_mul(4).saturating_add(16);
        let operations = operations.min(usize::try_from(context.steps).unwrap_or(usize::MAX));
        if !take(context.operations, operations) {
            return None;
        }
        evaluation.set_max_iterations(u32::try_from(operations).unwrap_or(u32::MAX));
        if let Some(cfa) = initial {
            evaluation.set_initial_value(cfa.0);
        }
        let mut result = evaluation.evaluate().ok()?;
        // Each request is one operation, so `set_max_iterations` bounds this loop too.
        loop {
            result = match result {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresMemory { address, size, .. } => {
                    let at = Avma(context.facts.wrap(address));
                    let value = context.memory.read_unsigned(at, usize::from(size)).ok()?;
                    evaluation.resume_with_memory(gimli::Value::Generic(value)).ok()?
                }
                EvaluationResult::RequiresRegister { register, .. } => {
                    let value = callee.get(Register(register.0))?;
                    evaluation.resume_with_register(gimli::Value::Generic(value)).ok()?
                }
                _ => return None,
            };
        }
        let value = evaluation.value_result();
        let value = match value {
            Some(value) => value.to_u64(mask).ok(),
            // Left as an address: the usual form for CFI.
            None => match evaluation.as_result().first()?.location {
                gimli::Location::Address { address } => Some(address),
                _ => None,
            },
        };
        value.map(|value| value & mask)
    }
}

/// The frame pointer of the caller of a Go function. The linker has every function with a
/// frame save it: right below the return address, or below the frame where that is saved at
/// its end. A function without a frame leaves it alone. `None` where it is neither.
fn go_frame_pointer(cfa: Avma, callee: &Registers, context: &mut Context<'_, '_>) -> Option<u64> {
    let facts = context.facts;
    let word = u64::from(facts.word);
    let (fp, sp) = (callee.get(facts.fp)?, callee.get(facts.sp)?);
    let (pushed, is_own) = match facts.link {
        None => (word, fp.checked_add(word.checked_mul(2)?) == Some(cfa.0)),
        Some(_) => (0, fp.checked_add(word) == Some(sp)),
    };
    if sp.checked_add(pushed) == Some(cfa.0) {
        return Some(fp);
    }
    if is_own { context.saved(Avma(fp)) } else { None }
}

/// The pc where a thread was interrupted as the address of an instruction. It has no
/// authentication code, and may not be an address at all.
pub(super) fn interrupted_at(pc: u64, facts: &Facts) -> Avma {
    Avma(facts.wrap(pc) & !facts.code_address.mode_bits)
}

/// A return address as the address of an instruction: without the bits of the processor's
/// mode, without an authentication code and tag. `mask` has the bits of the code that the core
/// states, if any.
pub(super) fn code_address(value: u64, facts: &Facts, mask: u64) -> Avma {
    let form = &facts.code_address;
    let mask = if form.authentication == 0 { 0 } else { mask };
    let address = value & !form.mode_bits & !form.authentication & !mask;
    Avma(facts.wrap(address.wrapping_add(form.return_after)))
}
