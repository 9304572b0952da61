#include <rt/kernel/io_uring.hpp>

#include <arch/syscall.hpp>
#include <asm/errno.h>
#include <linux/mman.h>

#include <algorithm>

namespace rt::kernel {
namespace {

constexpr long signal_set_size = 8;

Result<void*> map(int descriptor, std::size_t size, std::uint64_t offset) {
  const long result = arch::syscall(__NR_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_POPULATE, descriptor, static_cast<long>(offset));
  if (result < 0 && result > -4096) return Error::from_kernel(result);
  return reinterpret_cast<void*>(result);
}

void unmap(void* memory, std::size_t size) {
  if (memory) arch::syscall(__NR_munmap, reinterpret_cast<long>(memory), static_cast<long>(size));
}

} // namespace

Result<IoUring> IoUring::make(unsigned submissions, unsigned completions, unsigned flags) {
  io_uring_params parameters = {};
  parameters.flags = flags | IORING_SETUP_CQSIZE;
  parameters.cq_entries = completions;
  const long descriptor = arch::syscall(__NR_io_uring_setup, submissions, reinterpret_cast<long>(&parameters));
  if (descriptor < 0) return Error::from_kernel(descriptor);
  IoUring ring;
  ring.descriptor_ = static_cast<int>(descriptor);
  ring.features_ = parameters.features;
  constexpr unsigned needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP;
  if ((parameters.features & needed) != needed) return Errc::function_not_supported;

  const io_sqring_offsets& submission = parameters.sq_off;
  const io_cqring_offsets& completion = parameters.cq_off;
  ring.rings_size_ = std::max<std::size_t>(submission.array + parameters.sq_entries * sizeof(unsigned),
                                           completion.cqes + parameters.cq_entries * sizeof(io_uring_cqe));
  const Result<void*> rings = map(ring.descriptor_, ring.rings_size_, IORING_OFF_SQ_RING);
  if (!rings) return rings.error();
  ring.rings_ = *rings;
  auto* const base = static_cast<char*>(ring.rings_);
  const auto at = [base](unsigned offset) { return reinterpret_cast<unsigned*>(base + offset); };
  ring.submission_ = {at(submission.head), at(submission.tail), *at(submission.ring_mask)};
  ring.submission_flags_ = at(submission.flags);
  ring.completion_ = {at(completion.head), at(completion.tail), *at(completion.ring_mask)};
  ring.completions_ = reinterpret_cast<const io_uring_cqe*>(base + completion.cqes);
  // The kernel goes through an array of numbers of entries; here each place has the entry of its own number.
  for (unsigned i = 0; i < parameters.sq_entries; ++i) at(submission.array)[i] = i;

  const Result<void*> entries_map =
      map(ring.descriptor_, parameters.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
  if (!entries_map) return entries_map.error();
  ring.submissions_ = static_cast<io_uring_sqe*>(*entries_map);
  return ring;
}

IoUring::IoUring(IoUring&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), features_(other.features_),
      submission_flags_(other.submission_flags_), submission_(other.submission_), completion_(other.completion_),
      filled_(other.filled_), submissions_(std::exchange(other.submissions_, nullptr)),
      completions_(other.completions_), rings_(std::exchange(other.rings_, nullptr)), rings_size_(other.rings_size_) {}

IoUring::~IoUring() {
  if (submissions_) unmap(submissions_, submission_size() * sizeof(io_uring_sqe));
  unmap(rings_, rings_size_);
  if (descriptor_ >= 0) arch::syscall(__NR_close, descriptor_);
}

io_uring_sqe* IoUring::next_submission() {
  if (!has_room_for(1)) return nullptr;
  io_uring_sqe* const entry = &submissions_[filled_++ & submission_.mask];
  *entry = {};
  return entry;
}

Result<unsigned> IoUring::submit() {
  store(submission_.tail, filled_);
  unsigned taken = 0;
  // Kernels before 5.18 stop after one that is wrong, though they have taken it.
  while (const unsigned waiting = filled_ - load(submission_.head)) {
    const long result = arch::syscall(__NR_io_uring_enter, descriptor_, waiting, 0, 0, 0, signal_set_size);
    if (result == 0) break;
    if (result > 0)
      taken += static_cast<unsigned>(result);
    else if (const Error error = Error::from_kernel(result); error != Errc::interrupted)
      return taken > 0 ? Result<unsigned>(taken) : error;
  }
  return taken;
}

Result<void> IoUring::submit_and_wait(Deadline deadline) {
  store(submission_.tail, filled_);
  const bool wait = deadline != Deadline::at(0);
  KernelTime time{};
  if (wait && !deadline.never())
    time =
        KernelTime::from(std::max<std::int64_t>(deadline.nanoseconds() - Clock::now().time_since_epoch().count(), 0));
  io_uring_getevents_arg argument{};
  if (!deadline.never()) argument.ts = reinterpret_cast<std::uintptr_t>(&time);
  const long result =
      arch::syscall(__NR_io_uring_enter, descriptor_, filled_ - load(submission_.head), wait ? 1 : 0,
                    IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, reinterpret_cast<long>(&argument), sizeof argument);
  if (result >= 0 || result == -ETIME) return {};
  return Error::from_kernel(result);
}

Result<void> IoUring::notify(int event_descriptor) {
  return Error::from_kernel(arch::syscall(__NR_io_uring_register, descriptor_, IORING_REGISTER_EVENTFD,
                                          reinterpret_cast<long>(&event_descriptor), 1));
}

} // namespace rt::kernel
