// Prints address and type of what it keeps in the heap, and aborts.
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <typeinfo>
#include <unordered_map>
#include <vector>
struct Row {
  long cells[6];
};
struct Session {
  long id;
  std::string name;
  std::vector<Row> rows;
};
struct Config {
  std::string text;
  long level;
};
struct Node {
  long value;
  Node *next;
};
struct Shape {
  virtual ~Shape() {}
  double area = 1;
};
struct Square : Shape {
  double sides[4];
};
struct Circle : Shape {
  std::string name;
  double r;
};
struct World {
  std::unordered_map<long, Session *> sessions;
  std::map<std::string, std::unique_ptr<Shape>> named;
  std::set<long> seen;
  std::vector<Shape *> shapes;
  std::shared_ptr<Config> config;
  std::vector<std::unique_ptr<Config>> configs;
  std::list<Row> rows;
  std::deque<Row> deque;
  Node *list = nullptr;
  Row *array = nullptr;
};
static World world;
template <class T> static void say(const void *at) {
  int status;
  char *name = abi::__cxa_demangle(typeid(T).name(), 0, 0, &status);
  printf("%lx %s\n", (unsigned long)at, name);
  free(name);
}
static void text(const std::string &of) {
  if (of.capacity() > 15) say<char>(of.data());
}
int main() {
  for (long i = 0; i < 2000; i++) {
    Session *session = new Session{i, "the name of session number " + std::to_string(i), {}};
    session->rows.resize(i % 5 + 1);
    world.sessions[i] = session;
    Shape *shape = i % 2 ? (Shape *)new Square : (Shape *)new Circle;
    if (i % 3)
      world.shapes.push_back(shape);
    else
      world.named["shape number " + std::to_string(i) + " of many"].reset(shape);
    world.seen.insert(i);
    world.configs.emplace_back(new Config{"a configuration, number " + std::to_string(i), i});
    world.rows.push_back(Row());
    world.deque.push_back(Row());
    world.list = new Node{i, world.list};
  }
  world.config = std::make_shared<Config>(Config{"the text of the configuration", 1});
  world.array = new Row[30]();
  for (auto &one : world.sessions) {
    say<Session>(one.second);
    text(one.second->name);
    say<Row>(one.second->rows.data());
  }
  for (auto &one : world.named) {
    text(one.first);
    typeid(*one.second) == typeid(Square) ? say<Square>(&*one.second) : say<Circle>(&*one.second);
  }
  say<Shape *>(world.shapes.data());
  for (auto one : world.shapes)
    typeid(*one) == typeid(Square) ? say<Square>(one) : say<Circle>(one);
  say<std::unique_ptr<Config>>(world.configs.data());
  for (auto &one : world.configs) {
    say<Config>(one.get());
    text(one->text);
  }
  for (Node *node = world.list; node; node = node->next) say<Node>(node);
  say<Row>(world.array);
  fflush(stdout);
  abort();
}
