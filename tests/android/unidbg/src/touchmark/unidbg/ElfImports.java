package touchmark.unidbg;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** The pointers to imported functions of a 64-bit library, and the addresses of its exports. */
final class ElfImports {
  private ElfImports() {}

  /** A pointer that the loader fills, at its linked address. */
  record Slot(String name, long address) {}

  private static ByteBuffer of(byte[] file) {
    return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int section(ByteBuffer elf, int type) {
    int at = (int) elf.getLong(40);
    for (int i = 0; i < elf.getShort(60); ++i, at += 64) {
      if (elf.getInt(at + 4) == type) {
        return at;
      }
    }
    return -1;
  }

  private static String name(ByteBuffer elf, long symbol) {
    int strings = (int) elf.getLong(40) + 64 * elf.getInt(section(elf, 11) + 40);
    int at = (int) elf.getLong(strings + 24) + elf.getInt((int) symbol);
    StringBuilder out = new StringBuilder();
    while (elf.get(at) != 0) {
      out.append((char) elf.get(at++));
    }
    return out.toString();
  }

  static List<Slot> read(byte[] file) {
    ByteBuffer elf = of(file);
    long symbols = elf.getLong(section(elf, 11) + 24);
    List<Slot> out = new ArrayList<>();
    int at = (int) elf.getLong(40);
    for (int i = 0; i < elf.getShort(60); ++i, at += 64) {
      if (elf.getInt(at + 4) != 4) { // relocations with addends
        continue;
      }
      long begin = elf.getLong(at + 24);
      for (long entry = begin; entry < begin + elf.getLong(at + 32); entry += 24) {
        long symbol = elf.getLong((int) entry + 8) >>> 32;
        if (symbol != 0) {
          out.add(new Slot(name(elf, symbols + 24 * symbol), elf.getLong((int) entry)));
        }
      }
    }
    return out;
  }

  static long exported(byte[] file, String wanted) {
    ByteBuffer elf = of(file);
    int table = section(elf, 11);
    long begin = elf.getLong(table + 24);
    for (long at = begin; at < begin + elf.getLong(table + 32); at += 24) {
      if (elf.getShort((int) at + 6) != 0 && name(elf, at).equals(wanted)) {
        return elf.getLong((int) at + 8);
      }
    }
    return 0;
  }
}
