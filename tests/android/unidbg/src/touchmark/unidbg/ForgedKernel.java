package touchmark.unidbg;

import com.github.unidbg.memory.MemoryMap;
import com.github.unidbg.memory.SvcMemory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Answers where every Linux refuses, as the checks of device.kernel ask it. */
final class ForgedKernel extends Kernel {
  private static final int EBADF = 9;
  private static final int ESRCH = 3;
  private static final int ENOMEM = 12;
  private static final int ENOTDIR = 20;
  private static final int EINVAL = 22;
  private static final int ENAMETOOLONG = 36;
  private static final int PROCESS = 4321;
  private static final int PARENT = 612;

  ForgedKernel(SvcMemory memory, Path root) {
    super(memory, root);
    String status =
        "Name:\tapp\nState:\tR (running)\nTgid:\t%1$d\nPid:\t%1$d\nPPid:\t%2$d\n"
            + "TracerPid:\t0\nUid:\t10123\t10123\t10123\t10123\n";
    text(
        "/proc/self/status",
        () -> String.format(status, PROCESS, PARENT).getBytes(StandardCharsets.UTF_8));
  }

  private boolean allows(Call call, long address, int protection) {
    Integer changed = changed(address);
    if (changed != null) {
      return (changed & protection) != 0;
    }
    for (MemoryMap map : call.emulator().getMemory().getMemoryMap()) {
      if (address >= map.base && address < map.base + map.size) {
        return (map.prot & protection) != 0;
      }
    }
    return true; // what the loader mapped, and the stack
  }

  private static boolean isMapped(Call call, long address) {
    try {
      call.read(address, 1);
      return true;
    } catch (RuntimeException hole) {
      return false;
    }
  }

  @Override
  protected Long answer(Call call, int number) throws IOException {
    long first = call.number(0);
    switch (number) {
      case 24: // dup3
        return call.word(0) == call.word(1) ? (long) -EINVAL : super.answer(call, number);
      case 56: // openat
        String path = call.string(1);
        refuse(path.startsWith("/proc/self/status/"), ENOTDIR);
        refuse(path.length() > 4095, ENAMETOOLONG);
        break;
      case 57: // close
        refuse((int) first < 0, EBADF);
        break;
      case 63: // read
        refuse(!allows(call, call.number(1), 2), EFAULT);
        break;
      case 64: // write
        refuse(!allows(call, call.number(1), 1), EFAULT);
        break;
      case 98: // futex
        refuse((first & 3) != 0, EINVAL);
        break;
      case 131: // tgkill
        refuse(call.word(1) != PROCESS, ESRCH);
        refuse(call.word(2) > 64, EINVAL);
        return 0L;
      case 135: // rt_sigprocmask
        refuse(call.number(3) != 8, EINVAL);
        break;
      case 173: // getppid
        return (long) PARENT;
      case 178: // gettid
        return (long) PROCESS;
      case 222: // mmap
        refuse((call.word(3) & 3) == 0, EINVAL);
        break;
      case 226: // mprotect
        refuse(first % 4096 != 0, EINVAL);
        break;
      case 232: // mincore
        refuse(first % 4096 != 0, EINVAL);
        refuse(!isMapped(call, first), ENOMEM);
        return 0L;
      case 233: // madvise
        refuse(first % 4096 != 0 || call.word(2) > 25, EINVAL);
        break;
      case 270: // process_vm_readv
        refuse(!allows(call, words(call.read(call.number(3), 16)).getLong(0), 1), EFAULT);
        break;
      default:
        break;
    }
    return super.answer(call, number);
  }

  private static void refuse(boolean wrong, int error) {
    if (wrong) {
      throw new Failure(error);
    }
  }
}
