// Loaded by loading.c.
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

extern "C" int work()
{
    std::map<std::string, std::string> words;
    thread_local std::string own(1000, 't');
    std::thread([&] {
        thread_local std::string other(2000, 'u');
        for (int i = 0; i < 1000; i++)
            words[std::to_string(i)] = other + own;
    }).join();
    try {
        throw std::runtime_error(words["7"]);
    } catch (const std::exception &exception) {
        return exception.what() == words["7"] && words.size() == 1000 ? 0 : 1;
    }
}
