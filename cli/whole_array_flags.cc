#include "cli/whole_array_flags.h"

#include "cli/commands.h"

namespace tilewave::cli {

void AddWholeArrayFlags(CLI::App* command, WholeArrayFlags* flags) {
  AddText(command, "--k-mt", &flags->k_mt,
          "whole_array: K that passes a memory tile at once, a multiple of the tile's")
      ->type_name("N");
  AddText(command, "--b-layout", &flags->b_layout,
          "whole_array: B on the device: row, col or packed (default)")
      ->type_name("NAME");
  AddText(command, "--cols,--columns", &flags->columns,
          "whole_array: columns of the array (default: all)")
      ->type_name("N");
  AddText(command, "--c-buffers", &flags->c_buffers,
          "whole_array: tiles of C that a core holds, 1 or 2")
      ->type_name("N");
  AddText(command, "--stack", &flags->stack, "whole_array: bytes of stack of a core")
      ->type_name("BYTES");
}

}  // namespace tilewave::cli
