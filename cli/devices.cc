#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "report/table.h"
#include "tilewave/engine.h"

namespace tilewave::cli {
namespace {

void ListDevices(Context* context) {
  const Result<Engine> engine = Engine::Create();
  if (!engine.ok()) return context->Fail(engine.status());
  report::Table table;
  table.AddColumn("device");
  table.AddColumn("usable");
  table.AddColumn("what");
  nlohmann::json list = nlohmann::json::array();
  for (const DeviceInfo& info : engine->Devices()) {
    table.AddRow({info.name, info.usable ? "yes" : "no", info.description});
    list.push_back({{"name", info.name},
                    {"kind", Name(info.kind)},
                    {"usable", info.usable},
                    {"description", info.description}});
  }
  context->Succeed(table.ToString(), {{"devices", list}});
}

}  // namespace

void AddDevicesCommand(CLI::App* app, Context* context) {
  CLI::App* command = app->add_subcommand("devices", "List the devices, usable or not, and why");
  command->callback([context] { ListDevices(context); });
}

}  // namespace tilewave::cli
