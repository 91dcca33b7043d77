#pragma once

// How fast this machine is at this moment, without memory: dot products of bytes between registers.
// The instruction is the one that every fast 8-bit product of this machine is made of, so the
// figure is also the ceiling that products are compared with.

#include <cstdint>
#include <string>

#include "bench/peers/team.h"

namespace peers {

/// The instruction, for people: "vpdpbusd zmm". Empty if this machine has none that is known here.
std::string ProbeInstruction();

/// Operations (a multiply or an add each) per nanosecond, all threads of the team together: each is
/// timed alone over about `microseconds`, so one that was held up lowers the sum.
double Probe(Team& team, double microseconds);

}  // namespace peers
