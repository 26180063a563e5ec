//! What is asked of data: types, variables, and where they are.

use std::sync::Arc;

use super::DebugInfo;
use crate::index::unit_of_address;
use crate::model::location::{Expression, Location, NoPlace, Piece, Surroundings, VariableId};
use crate::model::scope::{Scopes, Variable};
use crate::model::types::{Type, TypeId};
use crate::types::go_types::{self, GoTypes};
use crate::variables::{evaluate, result, scope_reader};
use obit_corefile::addr::Svma;
use obit_corefile::elf::SymbolTable;

impl DebugInfo {
    /// The variables in scope at `at`, frame by frame as [`DebugInfo::frames_at`] lists
    /// them; none where no DWARF describes the function.
    pub fn scopes_at(&self, at: Svma) -> Arc<Scopes> {
        self.with_dwarf(|file| self.scopes.get(file, &self.types, at.0)).unwrap_or_default()
    }

    /// The variable or parameter of an entry, as an implicit pointer or an array's bound
    /// names it.
    pub fn variable_of(&self, id: VariableId) -> Option<Variable> {
        self.with_dwarf(|file| scope_reader::variable(file, &self.types, id.0))?
    }

    /// The type of what the function entered at `entry` returns; `None` for `void`, and where no
    /// DWARF describes it.
    pub fn type_returned_by(&self, entry: Svma) -> Option<TypeId> {
        self.with_dwarf(|file| result::type_at(file, &self.types, entry.0))?
    }

    /// The types that the generic function entered at `entry` was made for, in the order of its
    /// parameters, each with the parameter's name.
    pub fn type_arguments_at(&self, entry: Svma) -> Vec<(Arc<str>, TypeId)> {
        let found = self.with_dwarf(|file| result::type_arguments(file, &self.types, entry.0));
        found.flatten().unwrap_or_default()
    }

    /// The path of file number `number` in the table of the unit that has the type `of`, as
    /// `DW_AT_decl_file` of its members numbers it.
    pub fn file_of_unit(&self, of: TypeId, number: u64) -> Option<String> {
        let entry = self.types.entry(of)?.entry;
        self.with_dwarf(|file| unit_of_address::file_of_unit(file, entry, number))?
    }

    /// Where a variable at `location` is, for the frame that `around` speaks for.
    ///
    /// # Errors
    /// Why it is nowhere.
    pub fn locate(
        &self,
        location: &Location,
        around: &dyn Surroundings,
    ) -> Result<Vec<Piece>, NoPlace> {
        let found = self.with_dwarf(|file| evaluate::locate(file, location, around));
        found.unwrap_or(Err(NoPlace::OptimizedOut))
    }

    /// The number that `expression` computes from `pushed`: an array's bound, a member's
    /// place.
    ///
    /// # Errors
    /// Why there is none.
    pub fn compute(
        &self,
        expression: &Expression,
        pushed: Option<u64>,
        around: &dyn Surroundings,
    ) -> Result<u64, NoPlace> {
        let found = self.with_dwarf(|file| evaluate::number(file, expression, pushed, around));
        found.unwrap_or(Err(NoPlace::OptimizedOut))
    }

    /// The address of the variable with this linkage name, by the symbols alone.
    pub fn datum_named(&self, name: &str) -> Option<Svma> {
        self.images_with_symbols().find_map(|it| SymbolTable::datum_named(it, name.as_bytes()))
    }

    /// The offset of the thread-local variable with this linkage name in the module's block,
    /// by the symbols alone.
    pub fn thread_local_named(&self, name: &str) -> Option<u64> {
        let mut images = self.images_with_symbols();
        images.find_map(|image| SymbolTable::thread_local_named(image, name.as_bytes()))
    }

    /// The type with this number.
    #[inline]
    pub fn type_at(&self, id: TypeId) -> &Type {
        self.types.known(id).unwrap_or_else(|| self.new_type_at(id))
    }

    #[cold]
    fn new_type_at(&self, id: TypeId) -> &Type {
        let found = self.with_dwarf(|file| self.types.get(file, id));
        found.unwrap_or_else(|| self.types.unknown())
    }

    /// The name of a type as a programmer would write it: with scopes and modifiers.
    pub fn type_name(&self, id: TypeId) -> Arc<str> {
        let known = self.types.known_name(id);
        known.or_else(|| self.with_dwarf(|file| self.types.name(file, id))).unwrap_or_default()
    }

    /// The types called `name`, defined anywhere in the image: by its own name or with
    /// scopes before it, as many as wanted; `struct x` and the like for C's tags. Spaces
    /// do not count.
    pub fn types_named(&self, name: &str) -> Vec<TypeId> {
        self.with_names(|file, names| names.types(file, &self.types, name)).unwrap_or_default()
    }

    /// The first of [`DebugInfo::types_named`] that `accept` takes; one that has just this name
    /// with its scopes comes first.
    pub fn find_type(&self, name: &str, accept: impl FnMut(TypeId) -> bool) -> Option<TypeId> {
        self.with_names(|file, names| names.find_type(file, &self.types, name, accept))?
    }

    /// The definition of a type that is only declared at `id`: found elsewhere in the image,
    /// by its name with scopes.
    pub fn definition_of(&self, id: TypeId) -> Option<TypeId> {
        self.with_names(|file, names| names.definition(file, &self.types, id))?
    }

    /// The global and static variables called `name`, as in [`DebugInfo::types_named`];
    /// those that have a place come first.
    pub fn variables_named(&self, name: &str) -> Vec<Variable> {
        self.with_names(|file, names| names.variables(file, &self.types, name)).unwrap_or_default()
    }

    /// Whether a variable of [`DebugInfo::variables_named`] is in the unit of the code
    /// at `at`.
    pub fn is_of_unit_at(&self, variable: VariableId, at: Svma) -> bool {
        self.with_dwarf(|file| unit_of_address::has_code_at(file, variable, at.0)).unwrap_or(false)
    }

    /// The enumeration with an enumerator called `name`, in the unit of the code at `at`.
    pub fn enumeration_with(&self, name: &str, at: Svma) -> Option<TypeId> {
        let name = name.as_bytes();
        self.with_dwarf(|file| unit_of_address::enumeration_with(file, &self.types, at.0, name))?
    }

    /// The source file that defines a variable, as the compiler was given it.
    pub fn source_of(&self, variable: VariableId) -> Option<String> {
        self.with_dwarf(|file| unit_of_address::source_of(file, variable))?
    }

    /// Global and static variables that have one place for good, in its order, at most so many.
    pub fn placed_variables(&self, most: usize) -> Vec<Variable> {
        self.with_names(|file, names| names.placed_variables(file, &self.types, most))
            .unwrap_or_default()
    }

    /// Those of them in the unit of the code at `at`, at most so many.
    pub fn placed_variables_of_unit(&self, at: Svma, most: usize) -> Vec<Variable> {
        self.with_names(|file, names| names.placed_variables_at(file, &self.types, at.0, most))
            .unwrap_or_default()
    }

    /// The global or static variable that holds the byte at `at`, and where it starts.
    pub fn variable_at(&self, at: Svma) -> Option<(Variable, Svma)> {
        self.with_names(|file, names| names.variable_at(file, &self.types, at.0))?
    }

    /// The type whose `runtime._type` lies at `at`; `None` for one made while a Go program
    /// ran, or if what lies there does not agree.
    pub fn go_type_at(&self, at: Svma) -> Option<TypeId> {
        let image = &self.context.files.image;
        let offset = go_types::offset_of(image, at)?;
        let found = self.with_dwarf(|file| {
            self.go_types.get_or_init(|| GoTypes::build(file)).described_at(offset)
        })??;
        let id = self.types.intern(found.entry);
        found.agrees(image, at, self.type_at(id).byte_size)?.then_some(id)
    }
}
