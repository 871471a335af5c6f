package touchmark.unidbg;

import com.github.unidbg.Emulator;
import com.github.unidbg.Module;
import com.github.unidbg.arm.Arm64Svc;
import com.github.unidbg.file.linux.AndroidFileIO;
import com.github.unidbg.linux.AndroidElfLoader;
import com.github.unidbg.memory.MemoryMap;
import com.github.unidbg.unix.UnixSyscallHandler;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import unicorn.Arm64Const;
import unicorn.UnicornConst;

/** An address space as the checks of device.memory want it: high, with a start like zygote's. */
final class ForgedMemory {
  private static final long LIBRARIES = 0x7a_4000_0000L;
  private static final long STACK = 0x7f_f000_0000L;
  private static final long STACK_SIZE = 0x80_0000;
  private static final long PROGRAM = 0x5a_1000_0000L;
  private static final long LOADER = 0x7b_0000_0000L;
  private static final long KERNEL_PAGE = 0x7b_1000_0000L;

  private ForgedMemory() {}

  static final class HighLoader extends AndroidElfLoader {
    HighLoader(Emulator<AndroidFileIO> emulator, UnixSyscallHandler<AndroidFileIO> calls) {
      super(emulator, calls);
      setMMapBaseAddress(LIBRARIES);
    }
  }

  static void moveStack(Emulator<?> emulator) {
    int protection = UnicornConst.UC_PROT_READ | UnicornConst.UC_PROT_WRITE;
    emulator.getBackend().mem_map(STACK - STACK_SIZE, STACK_SIZE, protection);
    emulator.getMemory().setStackPoint(STACK - 0x1000);
  }

  /** What the kernel told the program at its start, for the library that imports getauxval. */
  static void answerGetauxval(Emulator<?> emulator, Kernel kernel, Module own, byte[] file) {
    Map<Long, Long> values =
        Map.of(
            3L, PROGRAM + 64, 6L, 4096L, 7L, LOADER, 16L, 0xffL, 25L, STACK - 64, 33L, KERNEL_PAGE);
    Arm64Svc svc =
        new Arm64Svc("getauxval") {
          @Override
          public long handle(Emulator<?> running) {
            long type = running.getBackend().reg_read(Arm64Const.UC_ARM64_REG_X0).longValue();
            return values.getOrDefault(type, 0L);
          }
        };
    long target = emulator.getSvcMemory().registerSvc(svc).peer;
    for (ElfImports.Slot slot : ElfImports.read(file)) {
      if (slot.name().equals("getauxval")) {
        long at = own.base + slot.address();
        ByteBuffer pointer = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        kernel.show(
            at,
            ByteBuffer.wrap(emulator.getBackend().mem_read(at, 8))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong());
        emulator.getBackend().mem_write(at, pointer.putLong(target).array());
      }
    }
  }

  /** The lines of maps beside those of the libraries, which are given. */
  static String list(Emulator<?> emulator, Kernel kernel, String libraries, LongPredicate taken) {
    TreeMap<Long, String> lines = new TreeMap<>();
    libraries.lines().forEach(line -> lines.put(start(line), line));
    for (MemoryMap map : emulator.getMemory().getMemoryMap()) {
      if (taken.test(map.base)) {
        continue;
      }
      long begin = map.base;
      long end = map.base + map.size;
      for (long at = begin; at < end; at += 4096) { // pieces of one mode
        String mode = mode(kernel, map, at);
        if (at + 4096 == end || !mode.equals(mode(kernel, map, at + 4096))) {
          add(lines, begin, at + 4096, mode, "");
          begin = at + 4096;
        }
      }
    }
    add(lines, STACK - STACK_SIZE, STACK, "rw-p", "[stack]");
    add(lines, PROGRAM, PROGRAM + 0x1000, "r--p", "/system/bin/app_process64");
    add(lines, LOADER, LOADER + 0x1000, "r--p", "/system/bin/linker64");
    add(lines, KERNEL_PAGE, KERNEL_PAGE + 0x1000, "r-xp", "[vdso]");
    return String.join("\n", lines.values()) + "\n";
  }

  private static String mode(Kernel kernel, MemoryMap map, long address) {
    Integer changed = kernel.changed(address);
    int protection = changed == null ? map.prot : changed;
    return ((protection & 1) != 0 ? "r" : "-")
        + ((protection & 2) != 0 ? "w" : "-")
        + ((protection & 4) != 0 ? "xp" : "-p");
  }

  private static long start(String line) {
    return Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16);
  }

  private static void add(Map<Long, String> lines, long start, long end, String mode, String path) {
    lines.put(start, String.format("%08x-%08x %s 00000000 fd:00 1 %s", start, end, mode, path));
  }
}
