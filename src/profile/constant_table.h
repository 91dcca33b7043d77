#pragma once

#include <span>
#include <string_view>

#include "profile/profile.h"

namespace tilewave::profile {

/// A constant and where it stands.
struct Constant {
  ConstantInfo info;
  double* (*target)(Profile*);
};

/// What Constants() shows, in the same order.
std::span<const Constant> ConstantTable();

/// A constant of a kernel model.
struct ModelConstant {
  std::string_view key;
  std::string_view unit;
  double least = 0;
  double most = 0;
  double KernelModel::*target = nullptr;
};

std::span<const ModelConstant> ModelConstantTable();

}  // namespace tilewave::profile
