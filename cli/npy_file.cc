#include "cli/npy_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/atomic_file.h"
#include "cli/input_file.h"
#include "cli/memory.h"

namespace tilewave::cli {

Result<NpyArray> ReadNpy(const std::string& path, std::atomic<int64_t>* progress) {
  const Result<InputFile> file = InputFile::Open(path, "a .npy file");
  if (!file.ok()) return file.status();
  std::vector<std::byte> prefix(std::min<uint64_t>(file->bytes(), kMaxNpyPrefixBytes));
  if (Status status = file->ReadAt(0, prefix); !status.ok()) return status;
  Result<NpyHeader> header = ParseNpyHeader(prefix, path);
  if (!header.ok()) return header.status();
  if (Status status = CheckNpyFileBytes(*header, file->bytes(), path); !status.ok()) return status;
  Result<base::AlignedBuffer> data = Allocate(path, header->data_bytes);
  if (!data.ok()) return data.status();
  const std::span<std::byte> target(data->data(), data->bytes());
  const Status status = file->ReadAt(header->data_offset, target, progress);
  if (!status.ok()) return status;
  return NpyArray{*std::move(header), *std::move(data)};
}

Status WriteNpy(const std::string& path, ElementType type, std::span<const int64_t> shape,
                std::span<const std::byte> data, std::atomic<int64_t>* progress) {
  Status status = CheckNpyArguments(path, type, shape, data.size());
  if (!status.ok()) return status;
  Result<AtomicFile> file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  const std::string header = NpyHeaderText(type, false, shape);
  status = file->Write(std::as_bytes(std::span(header)));
  if (status.ok()) status = file->Write(data, progress);
  return status.ok() ? file->Commit() : status;
}

}  // namespace tilewave::cli
