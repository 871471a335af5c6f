package touchmark.unidbg;

import com.github.unidbg.Emulator;
import com.github.unidbg.arm.backend.BackendException;
import com.github.unidbg.arm.context.RegisterContext;
import com.github.unidbg.linux.ARM64SyscallHandler;
import com.github.unidbg.memory.SvcMemory;
import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import unicorn.Arm64Const;

/**
 * The system calls that unidbg lacks: files below a folder that stands for the phone's root, texts
 * of /proc, sockets of this machine, and the memory of the process. A descriptor of these is {@link
 * #FIRST} or more; what is below is unidbg's.
 */
class Kernel extends ARM64SyscallHandler {
  static final int FIRST = 10_000;
  private static final int ENOENT = 2;
  private static final int EIO = 5;
  private static final int EBADF = 9;
  static final int EFAULT = 14;
  private static final int EEXIST = 17;
  private static final int ENOTEMPTY = 39;
  private static final int APP_USER = 10_123;
  private static final int AT_EMPTY_PATH = 0x1000;

  /** The calls whose first argument is a descriptor. */
  private static final Set<Integer> OF_DESCRIPTORS =
      Set.of(
          25, 29, 46, 52, 57, 61, 62, 63, 64, 66, 67, 82, 83, 200, 203, 204, 205, 206, 207, 208,
          209, 210);

  private static final NativeLibrary HOST = NativeLibrary.getInstance("c");

  private final Path root;
  private final Map<String, Supplier<byte[]>> texts = new HashMap<>();
  private final TreeMap<Integer, Object> open = new TreeMap<>();
  private final Map<Long, Integer> changed = new HashMap<>();
  private final Map<Long, Long> shown = new HashMap<>();

  Kernel(SvcMemory memory, Path root) {
    super(memory);
    this.root = root;
  }

  /** A file whose content is made when it is opened. */
  void text(String path, Supplier<byte[]> content) {
    texts.put(path, content);
  }

  /** Shows {@code value} to whoever reads the word at {@code address} through the kernel. */
  void show(long address, long value) {
    shown.put(address, value);
  }

  static final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final int number;

    Failure(int number) {
      super(null, null, false, false);
      this.number = number;
    }
  }

  /** A file, a folder that is listed, or a text. */
  private static final class Opened {
    final String guest;
    final Path path;
    RandomAccessFile file;
    byte[] text;
    List<String> names;
    long at;

    Opened(String guest, Path path) {
      this.guest = guest;
      this.path = path;
    }
  }

  /** A descriptor of this machine. */
  record Host(int fd) {}

  record Call(Emulator<?> emulator, RegisterContext context) {
    long number(int i) {
      return context.getLongArg(i);
    }

    int word(int i) {
      return context.getIntArg(i);
    }

    byte[] read(long address, long size) {
      return size == 0 ? new byte[0] : emulator.getBackend().mem_read(address, size);
    }

    void write(long address, byte[] data) {
      if (data.length > 0) {
        emulator.getBackend().mem_write(address, data);
      }
    }

    String string(int i) {
      return context.getPointerArg(i).getString(0);
    }
  }

  private int add(Object what) {
    int fd = open.isEmpty() ? FIRST : open.lastKey() + 1;
    open.put(fd, what);
    return fd;
  }

  private boolean ours(int fd) {
    return fd >= FIRST;
  }

  final Object at(int fd) {
    Object found = open.get(fd);
    if (found == null) {
      throw new Failure(EBADF);
    }
    return found;
  }

  private static boolean belongsHere(String path) {
    return path.startsWith("/data/")
        || path.startsWith("/system/lib64/")
        || path.startsWith("/proc/")
        || path.startsWith("/sys/devices/system/cpu/")
        || path.equals("/data");
  }

  /**
   * What a page was protected to after it was mapped, which unidbg does not keep; null for none.
   */
  final Integer changed(long address) {
    return changed.get(address & ~0xfffL);
  }

  final void protect(long start, long size, Integer protection) {
    for (long page = start; page < start + size; page += 4096) {
      if (protection == null) {
        changed.remove(page);
      } else {
        changed.put(page, protection);
      }
    }
  }

  @Override
  protected boolean handleSyscall(Emulator<?> emulator, int number) {
    Call call = new Call(emulator, emulator.getContext());
    Long result;
    try {
      result = answer(call, number);
    } catch (Failure failure) {
      result = (long) -failure.number;
    } catch (NoSuchFileException missing) {
      result = (long) -ENOENT;
    } catch (FileAlreadyExistsException there) {
      result = (long) -EEXIST;
    } catch (DirectoryNotEmptyException full) {
      result = (long) -ENOTEMPTY;
    } catch (IOException broken) {
      result = (long) -EIO;
    } catch (BackendException fault) {
      result = (long) -EFAULT;
    } catch (RuntimeException broken) {
      // unidbg would go on with whatever is in the registers.
      broken.printStackTrace();
      Runtime.getRuntime().halt(3);
      return true;
    }
    if (result == null) {
      return false;
    }
    emulator.getBackend().reg_write(Arm64Const.UC_ARM64_REG_X0, result);
    return true;
  }

  /** Null for a call that is unidbg's. */
  protected Long answer(Call call, int number) throws IOException {
    int fd = call.word(0);
    switch (number) {
      case 34: // mkdirat
        return at(call, 1, path -> Files.createDirectory(path));
      case 35: // unlinkat
        return at(call, 1, path -> Files.delete(path));
      case 38: // renameat
        return at(
            call,
            1,
            path -> Files.move(path, host(call.string(3)), StandardCopyOption.ATOMIC_MOVE));
      case 48: // faccessat
        return at(call, 1, path -> path.toRealPath());
      case 53: // fchmodat
        return at(call, 1, path -> {});
      case 78: // readlinkat
        return belongsHere(call.string(1)) ? Long.valueOf(-22) : null;
      case 56:
        return belongsHere(call.string(1)) ? (long) openFile(call.string(1), call.word(2)) : null;
      case 79: // newfstatat
        if ((call.word(3) & AT_EMPTY_PATH) != 0 && ours(fd)) {
          return status(call, (Opened) at(fd), call.number(2));
        }
        return belongsHere(call.string(1)) ? statusOf(call, call.string(1), call.number(2)) : null;
      case 80: // fstat
        return ours(fd) ? status(call, (Opened) at(fd), call.number(1)) : null;
      case 172: // getpid
        return 4321L;
      case 174: // getuid
      case 175: // geteuid
        return (long) APP_USER;
      case 215: // munmap
        protect(call.number(0), call.number(1), null);
        return null;
      case 226: // mprotect
        protect(call.number(0), call.number(1), call.word(2));
        return null;
      case 233: // madvise: what is given back reads as zeros
        if (call.word(2) == 4) {
          call.write(call.number(0), new byte[(int) call.number(1)]);
        }
        return 0L;
      case 270: // process_vm_readv
        return readMemory(call);
      case 278: // getrandom
        byte[] random = new byte[(int) call.number(1)];
        new java.security.SecureRandom().nextBytes(random);
        call.write(call.number(0), random);
        return (long) random.length;
      case 19: // eventfd2
        return (long) add(new Host(host("eventfd", call.word(0), call.word(1))));
      case 59: // pipe2
        return pipe(call);
      case 73: // ppoll
        return poll(call);
      case 198: // socket
        return (long) add(new Host(host("socket", call.word(0), call.word(1), call.word(2))));
      default:
        return ours(fd) && OF_DESCRIPTORS.contains(number) ? ofDescriptor(call, number, fd) : null;
    }
  }

  private interface Work {
    void run(Path path) throws IOException;
  }

  private Long at(Call call, int argument, Work work) throws IOException {
    String path = call.string(argument);
    if (!belongsHere(path)) {
      return null;
    }
    work.run(host(path));
    return 0L;
  }

  private Path host(String guest) {
    return root.resolve(guest.substring(1));
  }

  private int openFile(String guest, int flags) throws IOException {
    Opened out = new Opened(guest, host(guest));
    Supplier<byte[]> text = texts.get(guest);
    if (text != null) {
      out.text = text.get();
      return add(out);
    }
    boolean create = (flags & 0100) != 0;
    if (create && (flags & 0200) != 0 && Files.exists(out.path)) {
      throw new Failure(EEXIST);
    }
    if (!create && !Files.exists(out.path)) {
      throw new Failure(ENOENT);
    }
    if (Files.isDirectory(out.path)) {
      try (Stream<Path> children = Files.list(out.path)) {
        out.names = new ArrayList<>(children.map(p -> p.getFileName().toString()).toList());
      }
      return add(out);
    }
    out.file = new RandomAccessFile(out.path.toFile(), (flags & 3) == 0 ? "r" : "rw");
    if ((flags & 01000) != 0) {
      out.file.setLength(0);
    }
    return add(out);
  }

  private Long statusOf(Call call, String guest, long out) throws IOException {
    Opened file = new Opened(guest, host(guest));
    Supplier<byte[]> text = texts.get(guest);
    if (text != null) {
      file.text = text.get();
    } else if (!Files.exists(file.path)) {
      throw new Failure(ENOENT);
    }
    return status(call, file, out);
  }

  private Long status(Call call, Opened file, long out) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(128).order(ByteOrder.LITTLE_ENDIAN);
    if (file.text != null) {
      buffer.putLong(8, file.guest.hashCode()).putInt(16, 0100444).putInt(20, 1);
    } else {
      Map<String, Object> facts =
          Files.readAttributes(file.path, "unix:*", LinkOption.NOFOLLOW_LINKS);
      // The installer owns what is installed, the app its own folder.
      int user = file.guest.startsWith("/data/data/") ? APP_USER : 1000;
      buffer
          .putLong(0, (Long) facts.get("dev"))
          .putLong(8, (Long) facts.get("ino"))
          .putInt(16, (Integer) facts.get("mode"))
          .putInt(20, 1)
          .putInt(24, user)
          .putInt(28, user)
          .putLong(48, (Long) facts.get("size"))
          .putInt(56, 4096)
          .putLong(64, ((Long) facts.get("size") + 511) / 512);
      putTime(buffer, 88, (FileTime) facts.get("lastModifiedTime"));
      putTime(buffer, 104, (FileTime) facts.get("ctime"));
    }
    call.write(out, buffer.array());
    return 0L;
  }

  private static void putTime(ByteBuffer buffer, int at, FileTime time) {
    long nanoseconds = time.to(TimeUnit.NANOSECONDS);
    buffer.putLong(at, nanoseconds / 1_000_000_000).putLong(at + 8, nanoseconds % 1_000_000_000);
  }

  private Long readMemory(Call call) {
    ByteBuffer local = words(call.read(call.number(1), 16));
    ByteBuffer remote = words(call.read(call.number(3), 16));
    long from = remote.getLong(0);
    long size = Math.min(local.getLong(8), remote.getLong(8));
    byte[] data;
    try {
      data = call.read(from, size);
    } catch (RuntimeException unmapped) {
      // As far as it is mapped, page by page.
      long done = 0;
      while (done < size) {
        long piece = Math.min(size - done, 4096 - (from + done) % 4096);
        try {
          call.write(local.getLong(0) + done, call.read(from + done, piece));
        } catch (RuntimeException hole) {
          break;
        }
        done += piece;
      }
      return done == 0 ? -EFAULT : done;
    }
    for (Map.Entry<Long, Long> word : shown.entrySet()) {
      long at = word.getKey() - from;
      if (at >= 0 && at + 8 <= size) {
        words(data).putLong((int) at, word.getValue());
      }
    }
    call.write(local.getLong(0), data);
    return size;
  }

  static ByteBuffer words(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  // What one asks of a descriptor

  private Long ofDescriptor(Call call, int number, int fd) throws IOException {
    Object target = at(fd);
    if (number == 57) { // close
      open.remove(fd);
      if (target instanceof Host host) {
        return (long) host("close", host.fd());
      }
      Opened file = (Opened) target;
      if (file.file != null) {
        file.file.close();
      }
      return 0L;
    }
    return target instanceof Host host
        ? ofHost(call, number, host.fd())
        : ofFile(call, number, (Opened) target);
  }

  private Long ofFile(Call call, int number, Opened file) throws IOException {
    switch (number) {
      case 61: // getdents64
        return list(call, file);
      case 63: // read
        long got = readAt(call, file, file.at, call.number(1), call.number(2));
        file.at += got;
        return got;
      case 67: // pread64
        return readAt(call, file, call.number(3), call.number(1), call.number(2));
      case 62: // lseek
        long end = file.text != null ? file.text.length : file.file.length();
        long base = call.word(2) == 0 ? 0 : call.word(2) == 1 ? file.at : end;
        file.at = base + call.number(1);
        return file.at;
      case 64: // write
        file.file.seek(file.at);
        byte[] data = call.read(call.number(1), call.number(2));
        file.file.write(data);
        file.at += data.length;
        return (long) data.length;
      case 66: // writev
        long written = 0;
        for (int i = 0; i < call.word(2); ++i) {
          ByteBuffer piece = words(call.read(call.number(1) + 16L * i, 16));
          byte[] bytes = call.read(piece.getLong(0), piece.getLong(8));
          file.file.seek(file.at);
          file.file.write(bytes);
          file.at += bytes.length;
          written += bytes.length;
        }
        return written;
      case 46: // ftruncate
        file.file.setLength(call.number(1));
        return 0L;
      case 52: // fchmod
        Files.setPosixFilePermissions(file.path, PosixFilePermissions.fromString("rw-------"));
        return 0L;
      case 25: // fcntl
      case 29: // ioctl
      case 82: // fsync
      case 83: // fdatasync
        return 0L;
      default:
        throw new IllegalStateException("system call " + number + " of a file");
    }
  }

  private Long readAt(Call call, Opened file, long offset, long out, long size) throws IOException {
    byte[] data = new byte[(int) Math.min(size, 16 << 20)];
    int got;
    if (file.text != null) {
      got = (int) Math.max(0, Math.min(data.length, file.text.length - offset));
      System.arraycopy(file.text, (int) Math.min(offset, file.text.length), data, 0, got);
    } else {
      file.file.seek(offset);
      got = 0;
      while (got < data.length) {
        int more = file.file.read(data, got, data.length - got);
        if (more < 0) {
          break;
        }
        got += more;
      }
    }
    call.write(out, java.util.Arrays.copyOf(data, got));
    return (long) got;
  }

  private Long list(Call call, Opened folder) {
    ByteBuffer out = words(new byte[(int) call.number(2)]);
    while (!folder.names.isEmpty()) {
      byte[] name = folder.names.get(0).getBytes(StandardCharsets.UTF_8);
      int length = (19 + name.length + 1 + 7) / 8 * 8;
      if (out.position() + length > out.capacity()) {
        break;
      }
      int at = out.position();
      out.putLong(at, name.length + 1L).putShort(at + 16, (short) length).put(at + 18, (byte) 8);
      for (int i = 0; i < name.length; ++i) {
        out.put(at + 19 + i, name[i]);
      }
      out.position(at + length);
      folder.names.remove(0);
    }
    call.write(call.number(1), java.util.Arrays.copyOf(out.array(), out.position()));
    return (long) out.position();
  }

  // This machine's

  /** A function of this machine's C library; its errno where it fails. */
  static int host(String name, Object... arguments) {
    Function function = HOST.getFunction(name);
    int result = function.invokeInt(arguments);
    if (result < 0) {
      throw new Failure(Native.getLastError());
    }
    return result;
  }

  private static Memory copy(byte[] data) {
    Memory out = new Memory(Math.max(1, data.length));
    out.write(0, data, 0, data.length);
    return out;
  }

  private Long ofHost(Call call, int number, int fd) {
    switch (number) {
      case 25: // fcntl
        return (long) host("fcntl", fd, call.word(1), call.word(2));
      case 29: // ioctl FIONBIO
        return (long) host("ioctl", fd, call.number(1), copy(call.read(call.number(2), 4)));
      case 62: // lseek
        return (long) host("lseek", fd, call.number(1), call.word(2));
      case 63: // read
      case 207: // recvfrom
        Memory in = new Memory(Math.max(1, call.number(2)));
        int got =
            number == 63
                ? host("read", fd, in, call.number(2))
                : host("recv", fd, in, call.number(2), call.word(3));
        call.write(call.number(1), in.getByteArray(0, got));
        return (long) got;
      case 64: // write
        return (long)
            host("write", fd, copy(call.read(call.number(1), call.number(2))), call.number(2));
      case 206: // sendto
        return (long)
            host(
                "send",
                fd,
                copy(call.read(call.number(1), call.number(2))),
                call.number(2),
                call.word(3));
      case 200: // bind
      case 203: // connect
        return (long)
            host(
                number == 200 ? "bind" : "connect",
                fd,
                copy(call.read(call.number(1), call.word(2))),
                call.word(2));
      case 204: // getsockname
      case 205: // getpeername
        return address(call, number == 204 ? "getsockname" : "getpeername", fd);
      case 208: // setsockopt
        return (long)
            host(
                "setsockopt",
                fd,
                call.word(1),
                call.word(2),
                copy(call.read(call.number(3), call.word(4))),
                call.word(4));
      case 209: // getsockopt
        Memory size = copy(call.read(call.number(4), 4));
        Memory value = new Memory(Math.max(4, size.getInt(0)));
        host("getsockopt", fd, call.word(1), call.word(2), value, size);
        call.write(call.number(3), value.getByteArray(0, size.getInt(0)));
        call.write(call.number(4), size.getByteArray(0, 4));
        return 0L;
      case 210: // shutdown
        return (long) host("shutdown", fd, call.word(1));
      default:
        throw new IllegalStateException("system call " + number + " of a socket");
    }
  }

  private Long address(Call call, String function, int fd) {
    Memory size = copy(call.read(call.number(2), 4));
    Memory out = new Memory(Math.max(1, size.getInt(0)));
    host(function, fd, out, size);
    call.write(call.number(1), out.getByteArray(0, (int) Math.min(out.size(), size.getInt(0))));
    call.write(call.number(2), size.getByteArray(0, 4));
    return 0L;
  }

  private Long pipe(Call call) {
    Memory both = new Memory(8);
    host("pipe2", both, call.word(1));
    ByteBuffer out = words(new byte[8]);
    out.putInt(0, add(new Host(both.getInt(0)))).putInt(4, add(new Host(both.getInt(4))));
    call.write(call.number(0), out.array());
    return 0L;
  }

  private Long poll(Call call) {
    int count = call.word(1);
    byte[] entries = call.read(call.number(0), 8L * count);
    Memory copied = copy(entries);
    for (int i = 0; i < count; ++i) {
      int fd = copied.getInt(8L * i);
      copied.setInt(8L * i, open.get(fd) instanceof Host host ? host.fd() : -1);
    }
    long time = call.number(2);
    int patience = -1;
    if (time != 0) {
      ByteBuffer parts = words(call.read(time, 16));
      patience = (int) (parts.getLong(0) * 1000 + parts.getLong(8) / 1_000_000);
    }
    int ready = host("poll", copied, (long) count, patience);
    for (int i = 0; i < count; ++i) {
      words(entries).putShort(8 * i + 6, copied.getShort(8L * i + 6));
    }
    call.write(call.number(0), entries);
    return (long) ready;
  }
}
