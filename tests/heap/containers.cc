// A map, strings and vectors of which a third is dropped.
#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>
struct Session {
  virtual ~Session() {}
  std::string user;
  std::vector<int> items;
};
struct Admin : Session {
  std::map<int, std::string> rights;
};
std::map<int, std::unique_ptr<Session>> sessions;
std::unordered_map<std::string, std::list<double>> prices;
int main() {
  for (int i = 0; i < 20000; i++) {
    std::unique_ptr<Session> s(i % 7 ? new Session : new Admin);
    s->user = "user number " + std::to_string(i) + " of the map";
    s->items.resize(i % 50);
    if (auto *a = dynamic_cast<Admin *>(s.get())) a->rights[i] = "everything that there is";
    sessions[i] = std::move(s);
    prices[std::to_string(i % 3000) + " is the key of a price"].push_back(i);
  }
  for (int i = 0; i < 20000; i += 3) sessions.erase(i);
  std::abort();
}
