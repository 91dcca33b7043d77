#pragma once

// Collects the shares of a predicted total.

#include <utility>

#include "plan/cost.h"

namespace tilewave::plan {

class Ledger {
 public:
  Ledger() {
    for (int i = 0; i < kTermCount; ++i) cost_.terms.push_back({static_cast<Term>(i), 0, 0});
  }
  void Add(Term term, double us) { at(term).us += us; }
  void Hide(Term term, double us) { at(term).hidden_us += us; }

  Cost Take() {
    for (const CostTerm& term : cost_.terms) cost_.total_us += term.us;
    return std::move(cost_);
  }

 private:
  CostTerm& at(Term term) { return cost_.terms[static_cast<size_t>(term)]; }
  Cost cost_;
};

/// Host work of so many items and bytes.
inline double HostUs(const profile::HostCost& cost, double items, double bytes) {
  return (cost.item_us * items) + (cost.byte_ns * bytes / 1e3);
}

/// Bytes of operands that are converted or summed before they are packed into tiles or images.
double ConvertedBytes(const core::Problem& problem);

}  // namespace tilewave::plan
