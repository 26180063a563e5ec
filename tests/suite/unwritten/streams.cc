// File streams of C++, as in streams.c.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

static std::string directory;
static std::ofstream global;

static void lines(std::ostream &out, const char *what, int count) {
    for (int i = 0; i < count; i++) out << what << " line " << i << " of " << count << '\n';
}

static void gone() {
    std::ofstream local(directory + "/gone");
    lines(local, "gone", 50);
}

int main(int count, char **argument) {
    directory = argument[1];
    std::ios::sync_with_stdio(false);
    gone();
    std::ofstream local(directory + "/local");
    lines(local, "local", 1000);
    global.open(directory + "/global");
    lines(global, "global", 700);
    auto heap = std::make_unique<std::ofstream>(directory + "/heap");
    lines(*heap, "heap", 400);
    std::ofstream flushed(directory + "/flushed");
    lines(flushed, "flushed", 100);
    flushed.flush();
    std::ofstream append(directory + "/append", std::ios::app);
    lines(append, "append", 90);
    std::wofstream wide(directory + "/wide");
    for (int i = 0; i < 200; i++) wide << L"wide line " << i << L'\n';
    std::ofstream partial(directory + "/partial");
    lines(partial, "partial", 10);
    partial << "and no end";
    std::ofstream closed(directory + "/closed");
    lines(closed, "closed", 10);
    closed.close();
    std::ostringstream in_memory;
    lines(in_memory, "in memory", 100);
    {
        std::ifstream reading(directory + "/flushed");
        std::string line;
        std::getline(reading, line);
    }
    lines(std::cout, "standard output", 300);
    std::vector<std::ofstream> many;
    for (int i = 0; i < 5; i++) {
        many.emplace_back(directory + "/many-" + std::to_string(i));
        lines(many.back(), "many", 300 + i);
    }
    if (count > 2) return 0;
    *(volatile int *)0 = 1;
}
