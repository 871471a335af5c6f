package touchmark.unidbg;

import com.github.unidbg.Emulator;
import com.github.unidbg.Module;
import com.github.unidbg.arm.Arm64Svc;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import unicorn.Arm64Const;

/** Rewrites the instructions by which the checks of device.processor tell an emulator. */
final class ForgedProcessor {
  private ForgedProcessor() {}

  private static final int SVC = 0xd4000001;
  private static long counter;

  /**
   * Has an exclusive store after a system call fail, and has each look at the counter take as long
   * as any other; shows the checks the code as it was. Returns how many instructions it changed.
   */
  static int patch(
      Emulator<?> emulator, Kernel kernel, Module module, boolean reservation, boolean counter) {
    byte[] code = emulator.getBackend().mem_read(module.base, module.size);
    ByteBuffer words = ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN);
    int patched = 0;
    for (int at = 8; at + 8 <= code.length; at += 4) {
      int word = words.getInt(at);
      boolean store = (word & 0xffe0fc00) == 0x88007c00; // stxr w, w, [x]
      int instead;
      if (reservation && store && words.getInt(at - 4) == SVC) {
        instead = 0x52800020 | (word >>> 16 & 31); // mov w, #1
      } else if (counter && (word & 0xffffffe0) == 0xd53be040) { // mrs x, cntvct_el0
        instead = tick(emulator, word & 31);
      } else {
        continue;
      }
      kernel.show(module.base + (at & ~7), words.getLong(at & ~7));
      ByteBuffer bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
      emulator.getBackend().mem_write(module.base + at, bytes.putInt(instead).array());
      ++patched;
    }
    return patched;
  }

  /** An svc that moves the counter on by the same again, and puts it into a register. */
  private static int tick(Emulator<?> emulator, int register) {
    Arm64Svc svc =
        new Arm64Svc("counter") {
          @Override
          public long handle(Emulator<?> running) {
            long kept = running.getBackend().reg_read(Arm64Const.UC_ARM64_REG_X0).longValue();
            counter += 64;
            if (register == 0) {
              return counter;
            }
            // X0 to X28 follow each other.
            running.getBackend().reg_write(Arm64Const.UC_ARM64_REG_X0 + register, counter);
            return kept;
          }
        };
    long code = emulator.getSvcMemory().registerSvc(svc).peer;
    ByteBuffer made = ByteBuffer.wrap(emulator.getBackend().mem_read(code, 4));
    int number = made.order(ByteOrder.LITTLE_ENDIAN).getInt() >>> 5 & 0xffff;
    return SVC | number << 5;
  }
}
