//! Turns the result of an expression into a value that can be shown.

use std::cmp::Ordering;
use std::sync::Arc;

use super::ast::BinaryOp;
use super::eval::{Evaluator, Loaded};
use super::number::{Number, compared};
use super::operand::{Operand, Stop, Ty, Wrong};
use crate::value::readable::readable;
use crate::value::{
    Budget, Float, FloatFormat, Scalar, State, Text, TextOrigin, Typed, Value, ValueFormat,
    tree_as, utf8_text,
};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_dwarf::TypeKind;

impl<'v, 'p: 'v> Evaluator<'v, 'p> {
    /// The name of the operand's type.
    pub(super) fn type_name(&self, operand: &Operand<'v>) -> Arc<str> {
        let scene = self.scene;
        match operand {
            Operand::Object(object) => object.type_name(scene),
            Operand::Place(ty, _) => ty.name(scene),
            Operand::Number(number) => match number {
                Number::Boolean(_) => "bool".into(),
                Number::Integer(integer) => integer.ty.spell(self.word_bits()),
                Number::Float { is_single: true, .. } => "float".into(),
                Number::Float { is_single: false, .. } => "double".into(),
            },
            Operand::Pointer(_, target) => target.clone().pointer_to().name(scene),
            Operand::Text(bytes) => {
                format!("const char [{}]", bytes.len().saturating_add(1)).into()
            }
            Operand::Bytes(bytes) => format!("unsigned char [{}]", bytes.len()).into(),
            Operand::Function { .. } => Ty::Function.name(scene),
            Operand::List(list) => Arc::clone(&list.type_name),
        }
    }

    /// What `operand`, called `name`, holds.
    pub(super) fn value(&self, operand: &Operand<'v>, name: Arc<str>, budget: &Budget) -> Value {
        if let Operand::Object(object) = operand {
            return tree_as(object, Some(name), self.scene, budget, self.format);
        }
        let type_name = Some(self.type_name(operand));
        let mut value = Value { name: Some(name), type_name, ..Value::default() };
        match operand {
            Operand::Object(_) => {}
            Operand::Place(ty, at) => {
                value.address = Some(*at);
                self.place_value(&mut value, ty, *at, budget);
            }
            Operand::Number(number) => {
                value.formatted = self.formatted(number);
                value.state = State::Scalar(scalar(number));
            }
            Operand::Pointer(at, target) => self.pointer(&mut value, *at, target, budget),
            Operand::Text(bytes) => value.text = Some(utf8_text(bytes, true, bytes.len())),
            Operand::Bytes(bytes) => value.state = State::Scalar(Scalar::Raw(bytes.clone())),
            Operand::Function { name, at } => {
                value.state = State::Scalar(Scalar::Address(at.0));
                value.text = Some(symbol(name.to_string()));
                value.formatted = self.formatted_address(*at);
            }
            Operand::List(list) => {
                let items = list.items.iter();
                value.members =
                    items.map(|(name, item)| self.value(item, Arc::clone(name), budget)).collect();
                value.omitted = list.total.saturating_sub(value.members.len() as u64);
            }
        }
        value
    }

    fn place_value(&self, value: &mut Value, ty: &Ty<'v>, at: Avma, budget: &Budget) {
        if let Ty::Array(element, count) = ty {
            let Some(size) = element.size(self.scene) else { return };
            let most = budget.max_elements.min(self.max_elements) as u64;
            let shown = (0..*count).take(usize::try_from(most).unwrap_or(usize::MAX));
            value.members = shown
                .map(|index| {
                    let at = Avma(at.0.wrapping_add(index.wrapping_mul(size)));
                    let element = self.place((**element).clone(), at);
                    self.value(&element, format!("[{index}]").into(), budget)
                })
                .collect();
            value.omitted = count.saturating_sub(value.members.len() as u64);
            return;
        }
        value.span = ty.size(self.scene).map(|size| AvmaRange::from_len(at, size));
        match self.load(&Operand::Place(ty.clone(), at)) {
            Ok(Loaded::Number(number)) => {
                value.formatted = self.formatted(&number);
                value.state = State::Scalar(scalar(&number));
            }
            Ok(Loaded::Pointer(at, target)) => self.pointer(value, at, &target, budget),
            Ok(Loaded::Other) | Err(Stop::Wrong { .. }) => {}
            Err(Stop::Absent(why)) => value.state = State::Absent(why),
        }
    }

    /// A pointer of a type that operators made: with the text it points at, or the name of
    /// the function or variable there.
    fn pointer(&self, value: &mut Value, at: Avma, target: &Ty<'v>, budget: &Budget) {
        value.state = State::Scalar(Scalar::Address(at.0));
        value.formatted = self.formatted_address(at);
        if at.0 == 0 || value.formatted.is_some() {
            return;
        }
        let is_character = self.is_character(target);
        if is_character || (self.is_byte(target) && self.format == Some(ValueFormat::Text)) {
            let longest = self.scene.limits.string_bytes;
            if let Some(bytes) = self.scene.memory.read_c_string(at, longest) {
                value.text = Some(utf8_text(&bytes, true, budget.max_text));
                return;
            }
        }
        // A symbol behind a pointer to bytes would be taken for the string there.
        if is_character || self.is_byte(target) {
            return;
        }
        let symbol_at = self.scene.around.symbol_at(at);
        value.text = symbol_at.map(|(name, offset)| match offset {
            0 => symbol(name),
            _ => symbol(format!("{name}+{offset}")),
        });
    }

    /// A number that operators made, in the format that was asked for.
    fn formatted(&self, number: &Number) -> Option<String> {
        let (bits, is_signed) = match number {
            Number::Boolean(_) => (8, false),
            Number::Integer(integer) => (integer.ty.bits, integer.ty.is_signed),
            Number::Float { is_single: true, .. } => (32, true),
            Number::Float { is_single: false, .. } => (64, true),
        };
        self.spelled(&scalar(number), bits, is_signed)
    }

    fn formatted_address(&self, at: Avma) -> Option<String> {
        self.spelled(&Scalar::Address(at.0), self.word_bits(), false)
    }

    fn spelled(&self, scalar: &Scalar, bits: u32, is_signed: bool) -> Option<String> {
        let symbol = |at| {
            let (name, offset) = self.scene.around.symbol_at(Avma(at))?;
            Some(if offset == 0 { name } else { format!("{name}+{offset}") })
        };
        self.format?.spell(Typed { scalar, bits, is_signed }, self.word_bits(), symbol)
    }

    fn is_character(&self, ty: &Ty<'v>) -> bool {
        let Ty::Known(ty) = ty else { return false };
        let entry = ty.resolved(self.scene).get();
        matches!(&entry.kind, TypeKind::Base(_)) && entry.name.as_deref() == Some("char")
    }

    fn is_byte(&self, ty: &Ty<'v>) -> bool {
        let Ty::Known(ty) = ty else { return false };
        let entry = ty.resolved(self.scene).get();
        matches!(&entry.kind, TypeKind::Base(_)) && entry.byte_size == Some(1)
    }

    /// `left op right` where one is a string literal: by content.
    pub(super) fn compare_text(
        &self,
        op: BinaryOp,
        left: &Operand<'v>,
        right: &Operand<'v>,
    ) -> Result<Operand<'v>, Stop> {
        let ordering = match (left, right) {
            (Operand::Text(left), Operand::Text(right)) => left.cmp(right),
            (Operand::Text(text), other) => self.text_against(other, text)?.reverse(),
            (other, Operand::Text(text)) => self.text_against(other, text)?,
            _ => Ordering::Equal,
        };
        let truth = compared(op, Some(ordering)).ok_or_else(|| Wrong::Operands {
            left: self.type_name(left).to_string(),
            right: self.type_name(right).to_string(),
        })?;
        Ok(Operand::Number(Number::Boolean(truth)))
    }

    /// How the text of `operand` compares to `text`.
    fn text_against(&self, operand: &Operand<'v>, text: &[u8]) -> Result<Ordering, Stop> {
        if let Operand::Object(object) = operand {
            let object = self.through_references(object)?;
            let form = readable(&object, self.scene, text.len().saturating_add(1));
            if let Some(content) = form.and_then(|form| form.text) {
                return self.content_against(&content, text, operand);
            }
            if matches!(object.resolved(self.scene).get().kind, TypeKind::Array(_)) {
                let mut bytes = object.bytes(self.scene)?;
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                bytes.truncate(end);
                return Ok(bytes.as_slice().cmp(text));
            }
        }
        let Loaded::Pointer(at, target) = self.load(operand)? else {
            return Err(self.refused("a comparison with text", operand));
        };
        if target.size(self.scene) != Some(1) {
            return Err(self.refused("a comparison with text", operand));
        }
        // As far as the first byte that differs.
        let mut cursor = self.scene.memory.cursor();
        for (distance, wanted) in text.iter().copied().chain([0]).enumerate() {
            let at = Avma(at.0.wrapping_add(distance as u64));
            let mut byte = [0];
            cursor.read(at, &mut byte)?;
            match byte[0].cmp(&wanted) {
                Ordering::Equal => {}
                other => return Ok(other),
            }
        }
        Ok(Ordering::Equal)
    }

    /// How the content of a string, of which only the start may have been read, compares to
    /// `text`.
    fn content_against(
        &self,
        content: &Text,
        text: &[u8],
        operand: &Operand<'v>,
    ) -> Result<Ordering, Stop> {
        // With the same escapes of bytes that are not UTF-8.
        let wanted = utf8_text(text, true, text.len());
        if content.left_out == Some(0) {
            return Ok(content.text.cmp(&wanted.text));
        }
        match wanted.text.strip_prefix(content.text.as_str()) {
            None => Ok(content.text.cmp(&wanted.text)),
            Some(_) => Err(self.refused("a comparison with so long a text", operand)),
        }
    }
}

fn symbol(text: String) -> Text {
    Text { text, origin: TextOrigin::Symbol, left_out: Some(0) }
}

fn scalar(number: &Number) -> Scalar {
    match number {
        Number::Boolean(value) => Scalar::Boolean(*value),
        Number::Integer(integer) if integer.ty.is_signed => {
            Scalar::Signed(integer.clone().signed())
        }
        Number::Integer(integer) => Scalar::Unsigned(integer.unsigned()),
        Number::Float { value, is_single: true } => {
            let bits = u128::from((*value as f32).to_bits());
            Scalar::Float(Float { format: FloatFormat::Binary32, bits })
        }
        Number::Float { value, is_single: false } => {
            let bits = u128::from(value.to_bits());
            Scalar::Float(Float { format: FloatFormat::Binary64, bits })
        }
    }
}
