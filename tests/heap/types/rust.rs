// Prints address and type of what it keeps in the heap, and aborts.
use std::any::type_name;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock};

pub struct Row {
    pub cells: [u64; 6],
}
pub struct Session {
    pub id: u64,
    pub name: String,
    pub rows: Vec<Row>,
}
pub struct Config {
    pub text: String,
    pub level: u64,
}
pub struct Node {
    pub value: u64,
    pub next: Option<Box<Node>>,
}
pub struct Job {
    pub id: u64,
    pub what: [u32; 4],
}
pub trait Shape {
    fn area(&self) -> f64;
}
pub struct Square(pub [f64; 5]);
pub struct Circle {
    pub r: f64,
    pub name: String,
    pub more: [u64; 4],
}
impl Shape for Square {
    fn area(&self) -> f64 {
        self.0[0]
    }
}
impl Shape for Circle {
    fn area(&self) -> f64 {
        self.r
    }
}
pub enum Message {
    Empty,
    Text(String),
    Rows(Vec<Row>),
}
pub struct World {
    pub sessions: HashMap<u64, Session>,
    pub named: HashMap<String, Box<dyn Shape>>,
    pub seen: HashSet<u64>,
    pub shapes: Vec<Box<dyn Shape>>,
    pub config: Arc<Config>,
    pub shared: Vec<Rc<Config>>,
    pub list: Option<Box<Node>>,
    pub jobs: VecDeque<Job>,
    pub tree: BTreeMap<u64, String>,
    pub boxed: Vec<Box<Row>>,
    pub messages: Vec<Message>,
    pub dynamic: Rc<dyn Shape>,
}

static CACHE: OnceLock<Mutex<HashMap<u64, Box<Job>>>> = OnceLock::new();

fn say<T>(at: *const T) {
    println!("{:x} {}", at as usize, type_name::<T>());
}
fn text(of: &str) {
    if !of.is_empty() {
        say(of.as_ptr());
    }
}
fn row(n: u64) -> Row {
    Row { cells: [n; 6] }
}
fn session(n: u64) -> Session {
    Session { id: n, name: format!("session number {n}"), rows: (0..n % 5 + 1).map(row).collect() }
}
fn config(n: u64) -> Config {
    Config { text: format!("a configuration {n}"), level: n }
}

fn main() {
    let mut world = World {
        sessions: (0..300).map(|n| (n, session(n))).collect(),
        named: HashMap::new(),
        seen: (0..500).collect(),
        shapes: Vec::new(),
        config: Arc::new(config(1)),
        shared: (0..50).map(|n| Rc::new(config(n))).collect(),
        list: None,
        jobs: (0..200).map(|id| Job { id, what: [7; 4] }).collect(),
        tree: (0..400).map(|n| (n, format!("leaf number {n} of the tree"))).collect(),
        boxed: (0..100).map(|n| Box::new(row(n))).collect(),
        messages: Vec::new(),
        dynamic: Rc::new(Square([2.0; 5])),
    };
    for n in 0..100_u64 {
        let circle = Circle { r: n as f64, name: format!("circle number {n}"), more: [n; 4] };
        let shape: Box<dyn Shape> =
            if n % 2 == 0 { Box::new(Square([n as f64; 5])) } else { Box::new(circle) };
        if n % 3 == 0 {
            world.named.insert(format!("shape number {n}"), shape);
        } else {
            world.shapes.push(shape);
        }
        world.list = Some(Box::new(Node { value: n, next: world.list.take() }));
        world.messages.push(match n % 3 {
            0 => Message::Empty,
            1 => Message::Text(format!("message number {n}")),
            _ => Message::Rows((0..3).map(row).collect()),
        });
    }
    let cache = CACHE.get_or_init(|| Mutex::new(HashMap::new()));
    for id in 0..100 {
        cache.lock().unwrap().insert(id, Box::new(Job { id, what: [3; 4] }));
    }
    for session in world.sessions.values() {
        text(&session.name);
        say(session.rows.as_ptr());
    }
    for (name, shape) in &world.named {
        text(name);
        shape_at(&**shape);
    }
    say(world.shapes.as_ptr());
    world.shapes.iter().for_each(|shape| shape_at(&**shape));
    shape_at(&*world.dynamic);
    say(Arc::as_ptr(&world.config));
    say(world.shared.as_ptr());
    world.shared.iter().for_each(|one| {
        say(Rc::as_ptr(one));
        text(&one.text);
    });
    let mut node = world.list.as_deref();
    while let Some(one) = node {
        say(one);
        node = one.next.as_deref();
    }
    say(world.jobs.as_slices().0.as_ptr());
    world.tree.values().for_each(|leaf| text(leaf));
    say(world.boxed.as_ptr());
    world.boxed.iter().for_each(|row| say(&**row));
    say(world.messages.as_ptr());
    for message in &world.messages {
        match message {
            Message::Empty => {}
            Message::Text(of) => text(of),
            Message::Rows(rows) => say(rows.as_ptr()),
        }
    }
    cache.lock().unwrap().values().for_each(|job| say(&**job));
    stop(&world);
}

// Its address is that of the object, its type that of the name.
fn shape_at(shape: &dyn Shape) {
    let at = shape as *const dyn Shape as *const u8 as usize;
    let is_square = shape as *const dyn Shape;
    let size = std::mem::size_of_val(unsafe { &*is_square });
    let name = if size == 40 { "Square" } else { "Circle" };
    println!("{at:x} rust::{name}");
}

#[inline(never)]
fn stop(world: &World) {
    if world.sessions.len() == 300 {
        std::process::abort();
    }
}
