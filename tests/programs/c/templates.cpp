// Heavy on templates for the compiler, and on containers, shared pointers, exceptions and threads for the heap.
#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

template <int N> struct Fibonacci { static constexpr unsigned long value = Fibonacci<N - 1>::value + Fibonacci<N - 2>::value; };
template <> struct Fibonacci<1> { static constexpr unsigned long value = 1; };
template <> struct Fibonacci<0> { static constexpr unsigned long value = 0; };

template <typename... Types> struct Record {
    std::tuple<Types...> fields;
    template <std::size_t... Index> std::string text(std::index_sequence<Index...>) const
    {
        std::ostringstream out;
        ((out << (Index ? "," : "") << std::get<Index>(fields)), ...);
        return out.str();
    }
    std::string text() const { return text(std::index_sequence_for<Types...>{}); }
};

template <std::size_t... Index> constexpr unsigned long sum_of_fibonacci(std::index_sequence<Index...>)
{
    return (Fibonacci<Index>::value + ...);
}

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
};
struct Square : Shape {
    double side;
    explicit Square(double s) : side(s) {}
    double area() const override { return side * side; }
};
struct alignas(64) Disc : Shape {
    double radius;
    explicit Disc(double r) : radius(r) {}
    double area() const override { return 3 * radius * radius; }
};

template <typename Map> unsigned long fill_and_drain(unsigned long seed)
{
    Map map;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        map["key " + std::to_string(seed >> 48)].push_back(i);
        if (i % 3 == 0)
            map.erase("key " + std::to_string((seed >> 40) & 0xffff));
    }
    unsigned long total = 0;
    for (auto &[key, list] : map)
        total += key.size() * std::accumulate(list.begin(), list.end(), 0ul);
    return total;
}

int main()
{
    std::cout << "fibonacci " << sum_of_fibonacci(std::make_index_sequence<80>{}) << "\n";
    std::cout << "record " << Record<int, std::string, double>{{7, "seven", 7.5}}.text() << "\n";
    std::cout << "map " << fill_and_drain<std::map<std::string, std::vector<int>>>(1) << "\n";
    std::cout << "unordered " << fill_and_drain<std::unordered_map<std::string, std::list<int>>>(2) << "\n";
    std::cout << "deques " << fill_and_drain<std::map<std::string, std::deque<long>, std::greater<>>>(3) << "\n";

    std::vector<std::unique_ptr<Shape>> shapes;
    for (int i = 0; i < 10000; i++)
        if (i % 2)
            shapes.push_back(std::make_unique<Square>(i));
        else
            shapes.push_back(std::make_unique<Disc>(i));
    bool aligned = std::all_of(shapes.begin(), shapes.end(), [](auto &shape) {
        auto disc = dynamic_cast<Disc *>(shape.get());
        return !disc || reinterpret_cast<std::uintptr_t>(disc) % 64 == 0;
    });
    std::cout << "area " << std::accumulate(shapes.begin(), shapes.end(), 0.0, [](double sum, auto &shape) { return sum + shape->area(); }) << " "
              << aligned << "\n";

    int caught = 0;
    for (int i = 0; i < 2000; i++)
        try {
            std::variant<int, std::string> value = std::string(static_cast<size_t>(i), 'x');
            if (std::get<std::string>(value).size() % 2)
                throw std::runtime_error("odd " + std::to_string(i));
        } catch (const std::exception &error) {
            caught += error.what()[0] == 'o';
        }
    try {
        std::vector<char> impossible(static_cast<size_t>(1) << 60);
        caught = -1;
    } catch (const std::bad_alloc &) {
        caught++;
    }
    std::cout << "caught " << caught << "\n";

    std::regex pattern("([a-z]+)-([0-9]+)");
    std::string text = "one-1 two-22 three-333";
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match)
        std::cout << "match " << (*match)[1] << " " << (*match)[2] << "\n";

    auto shared = std::make_shared<std::vector<std::shared_ptr<std::string>>>();
    for (int i = 0; i < 1000; i++)
        shared->push_back(std::make_shared<std::string>(static_cast<size_t>(i), 'y'));
    std::vector<std::thread> threads;
    std::vector<unsigned long> sums(4);
    for (size_t t = 0; t < sums.size(); t++)
        threads.emplace_back([&sums, shared, t] {
            for (int turn = 0; turn < 100; turn++) {
                auto copy = *shared;
                for (auto &item : copy)
                    sums[t] += std::string(*item).size();
            }
        });
    shared.reset();
    for (auto &thread : threads)
        thread.join();
    std::cout << "threads " << std::accumulate(sums.begin(), sums.end(), 0ul) << "\n";
}
