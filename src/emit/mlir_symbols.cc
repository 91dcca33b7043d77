#include "emit/mlir_symbols.h"

#include <limits>

namespace tilewave::emit {

void TakeConstant(std::string_view name, MlirConstants* constants, Cursor* cursor) {
  cursor->Expect("arith.constant");
  const int64_t value = cursor->TakeNumber(std::numeric_limits<int64_t>::max());
  cursor->Expect(":");
  cursor->Take(Token::Kind::kWord, "'i32' or 'index'");
  constants->insert_or_assign(name, value);
}

program::LockUse TakeLockUse(const MlirSymbols& symbols, const MlirConstants& constants,
                             bool* releases, Cursor* cursor) {
  program::LockUse use;
  cursor->ExpectAll({"aie.use_lock", "("});
  use.lock = TakeNamed(symbols.locks, "a lock", cursor);
  cursor->Expect(",");
  *releases = cursor->Is("Release");
  if (!*releases && !cursor->Is("AcquireGreaterEqual")) {
    cursor->Fail(cursor->Peek(), "'AcquireGreaterEqual' or 'Release'");
  }
  cursor->Take(Token::Kind::kWord, "an action");
  cursor->Expect(",");
  const Token at = cursor->Peek();
  const int64_t value = TakeNamed(constants, "a constant", cursor);
  if (value > std::numeric_limits<int>::max()) cursor->Fail(at, "a value of a lock");
  use.value = cursor->ok() ? static_cast<int>(value) : 0;
  cursor->Expect(")");
  return use;
}

}  // namespace tilewave::emit
