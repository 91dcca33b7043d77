#pragma once

// The words that the driver sends: "verb key=value key=value ...", one line each.

#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "bench/peers/peer.h"

namespace peers {

struct Command {
  std::string verb;
  std::map<std::string, std::string> values;

  const std::string& Text(const std::string& key) const {
    const auto found = values.find(key);
    if (found == values.end()) throw std::runtime_error("the command lacks " + key);
    return found->second;
  }
  int64_t Number(const std::string& key) const { return std::stoll(Text(key)); }
};

inline Command Parse(const std::string& line) {
  Command command;
  std::istringstream words(line);
  words >> command.verb;
  std::string word;
  while (words >> word) {
    const size_t sign = word.find('=');
    if (sign == std::string::npos) throw std::runtime_error("not key=value: " + word);
    command.values[word.substr(0, sign)] = word.substr(sign + 1);
  }
  return command;
}

inline Case ParseCase(const Command& command) {
  Case wanted;
  const std::string& kind = command.Text("kind");
  wanted.kind = kind == "layer" ? Kind::kLayer : kind == "heads" ? Kind::kHeads : Kind::kGemm;
  wanted.m = command.Number("m");
  wanted.k = command.Number("k");
  wanted.n = command.Number("n");
  wanted.batch = command.Number("batch");
  wanted.a_signed = command.Text("a") == "s8";
  wanted.b_bits = static_cast<int>(command.Number("b_bits"));
  wanted.b_transposed = command.Number("b_transposed") != 0;
  wanted.prepacked = command.Number("prepacked") != 0;
  return wanted;
}

template <typename T>
void ReadFile(const std::string& path, T* data, int64_t count) {
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(data), count * static_cast<int64_t>(sizeof(T)))) {
    throw std::runtime_error(path + " cannot be read, or is too short");
  }
}

template <typename T>
void WriteFile(const std::string& path, const T* data, int64_t count) {
  std::ofstream file(path, std::ios::binary);
  if (!file.write(reinterpret_cast<const char*>(data), count * static_cast<int64_t>(sizeof(T)))) {
    throw std::runtime_error(path + " cannot be written");
  }
}

/// Answers commands with one line each until the input ends. `answer` may throw.
template <typename Answer>
int Serve(const Answer& answer) {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::string reply;
    try {
      reply = answer(Parse(line));
    } catch (const std::exception& error) {
      reply = std::string("error ") + error.what();
    }
    for (char& c : reply) c = c == '\n' ? ' ' : c;
    std::cout << reply << std::endl;
  }
  return 0;
}

}  // namespace peers
