#pragma once

// How fast this machine is at this moment, without memory: dot products of bytes between registers.
// The instruction is the best one on vectors, so that the figure is also what products are compared
// with. Tiles (AMX) are several times as fast, but how fast changes with what they have just done:
// they are no good measure of the moment.

#include <cstdint>
#include <string>

#include "bench/peers/team.h"

namespace peers {

/// The instruction, for people: "vpdpbusd zmm". Empty if this machine has none that is known here.
std::string ProbeInstruction();

/// Operations (a multiply or an add each) per nanosecond, all threads of the team together: each is
/// timed alone over about `microseconds`, so one that was held up lowers the sum.
double Probe(Team& team, double microseconds);

/// The same of AMX's `tdpbssd`; 0 if this machine has it not, or the system does not allow it.
double ProbeTiles(Team& team, double microseconds);

}  // namespace peers
