// Objects of classes whose owners forget them.
#include <map>
#include <string>
#include <vector>
#include "end.h"
struct Shape {
  virtual ~Shape() {}
  std::string name = "a name that is too long to be kept within";
};
struct Circle : Shape { double r = 1; };
struct Square : Shape { std::vector<int> sides = std::vector<int>(40); };
static std::map<int, Shape *> shapes;
__attribute__((noinline)) static void make() {
  for (int i = 0; i < 300; i++) shapes[i] = i % 2 ? (Shape *)new Circle : new Square;
  for (int i = 0; i < 300; i += 3) shapes.erase(i);
}
int main() { make(); clear(); end(); }
