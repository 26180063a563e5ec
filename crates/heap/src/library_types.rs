//! Types of the standard libraries of C++ and Rust, by their names.

/// Containers that the program calls by one name, and what their elements are called.
pub(crate) const CONTAINERS: [(&str, &str); 21] = [
    ("std::map<", ELEMENTS),
    ("std::multimap<", ELEMENTS),
    ("std::set<", ELEMENTS),
    ("std::multiset<", ELEMENTS),
    ("std::unordered_map<", ELEMENTS),
    ("std::unordered_multimap<", ELEMENTS),
    ("std::unordered_set<", ELEMENTS),
    ("std::unordered_multiset<", ELEMENTS),
    ("std::__cxx11::list<", ELEMENTS),
    ("std::list<", ELEMENTS),
    ("std::forward_list<", ELEMENTS),
    ("std::vector<", ELEMENTS),
    ("std::deque<", ELEMENTS),
    ("std::__cxx11::basic_string<", ""),
    ("alloc::string::String", ""),
    ("alloc::vec::Vec<", ELEMENTS),
    ("alloc::collections::vec_deque::VecDeque<", ELEMENTS),
    ("alloc::collections::btree::map::BTreeMap<", ELEMENTS),
    ("std::collections::hash::map::HashMap<", ELEMENTS),
    ("std::collections::hash::set::HashSet<", ELEMENTS),
    ("hashbrown::map::HashMap<", ELEMENTS),
];

/// Pointers that are objects, and what is around a value that is made once: the program does not
/// name their parts.
pub(crate) const OPAQUE: [&str; 11] = [
    "std::unique_ptr<",
    "std::shared_ptr<",
    "std::weak_ptr<",
    "alloc::rc::Rc<",
    "alloc::sync::Arc<",
    "alloc::boxed::Box<",
    "core::option::Option<",
    "std::sync::once_lock::OnceLock<",
    "std::sync::lazy_lock::LazyLock<",
    "std::sync::poison::mutex::Mutex<",
    "std::sync::poison::rwlock::RwLock<",
];
/// Those with a value that is made once, and the member in which it is. Memory of a value that was
/// not made is all 0, or its first word leads to code: it holds no pointers to blocks.
pub(crate) const ONCE: [(&str, &str); 2] =
    [("std::sync::once_lock::OnceLock<", "value"), ("std::sync::lazy_lock::LazyLock<", "data")];
/// What is before a value that is shared.
pub(crate) const COUNTED: [&str; 3] =
    ["alloc::rc::RcInner<", "alloc::rc::RcBox<", "alloc::sync::ArcInner<"];

/// All elements of a container.
pub(crate) const ELEMENTS: &str = "[\u{2026}]";

/// Bases of the nodes of containers, whose pointers lead to nodes: no block is one itself.
pub(crate) const NODE_BASES: [&str; 5] = [
    "std::_Rb_tree_node_base",
    "std::__detail::_List_node_base",
    "std::__detail::_Hash_node_base",
    "std::_Fwd_list_node_base",
    "std::__detail::_List_node_header",
];

/// Containers of Rust that are read as a whole.
pub(crate) const READ_WHOLE: [&str; 7] = [
    "alloc::collections::vec_deque::VecDeque<",
    "alloc::collections::btree::map::BTreeMap<",
    "alloc::collections::btree::set::BTreeSet<",
    "std::collections::hash::map::HashMap<",
    "std::collections::hash::set::HashSet<",
    "hashbrown::map::HashMap<",
    "hashbrown::set::HashSet<",
];

pub(crate) fn starts_with_one(name: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| name.starts_with(start))
}

pub(crate) fn is_node_base(name: &str) -> bool {
    NODE_BASES.contains(&name)
}
