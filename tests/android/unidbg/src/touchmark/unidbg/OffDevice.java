package touchmark.unidbg;

import com.github.unidbg.AndroidEmulator;
import com.github.unidbg.Module;
import com.github.unidbg.arm.backend.Unicorn2Factory;
import com.github.unidbg.file.linux.AndroidFileIO;
import com.github.unidbg.linux.android.AndroidARM64Emulator;
import com.github.unidbg.linux.android.AndroidResolver;
import com.github.unidbg.linux.android.dvm.DalvikModule;
import com.github.unidbg.linux.android.dvm.VM;
import com.github.unidbg.memory.Memory;
import com.github.unidbg.memory.MemoryBlock;
import com.github.unidbg.memory.SvcMemory;
import com.github.unidbg.pointer.UnidbgPointer;
import com.github.unidbg.unix.UnixSyscallHandler;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Runs an app's libtouchmark.so off the device, on Android 6's own C library: opens it, has it
 * attest and prints the token. Takes the folder that stands for the phone's root, the app's folder
 * in it, the initial configuration and the URL that a token is wanted for.
 *
 * <p>With {@code --hide} it also shows the checks what they would see on a phone where unidbg's own
 * loader would otherwise show. With {@code --patch} an instruction of the library is changed first.
 */
public final class OffDevice {
  private static final String[] SYSTEM = {"libc.so", "libm.so", "libdl.so", "liblog.so"};
  private static final String[] LOADER = {
    "dl_iterate_phdr", "dladdr", "dlclose", "dlerror", "dlopen", "dlsym"
  };

  private final Path root;
  private final AndroidEmulator emulator;
  private Kernel kernel;

  private final class Phone extends AndroidARM64Emulator {
    Phone(String process) {
      super(process, null, Collections.singleton(new Unicorn2Factory(true)));
    }

    @Override
    protected UnixSyscallHandler<AndroidFileIO> createSyscallHandler(SvcMemory memory) {
      kernel = new Kernel(memory, root);
      return kernel;
    }
  }

  private OffDevice(Path root, String process) {
    this.root = root;
    this.emulator = new Phone(process);
  }

  /** One mapping of a module, as the kernel would list it. */
  private record Mapping(long start, long end, String mode, long offset, String path) {
    String line() {
      return String.format("%08x-%08x %s %08x fd:00 1 %s\n", start, end, mode, offset, path);
    }
  }

  private static long page(long address) {
    return address & ~0xfffL;
  }

  private List<Mapping> mappings(Module module, String guest) throws IOException {
    byte[] file = Files.readAllBytes(root.resolve(guest.substring(1)));
    ByteBuffer elf = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int at = (int) elf.getLong(32);
    List<Mapping> out = new ArrayList<>();
    for (int i = 0; i < elf.getShort(56); ++i, at += 56) {
      if (elf.getInt(at) != 1) {
        continue;
      }
      int flags = elf.getInt(at + 4);
      long offset = elf.getLong(at + 8);
      long address = elf.getLong(at + 16);
      long size = elf.getLong(at + 32);
      String mode = "r" + ((flags & 2) != 0 ? "w" : "-") + ((flags & 1) != 0 ? "x" : "-") + "p";
      long start = page(module.base + address);
      long end = page(module.base + address + size + 0xfff);
      out.add(new Mapping(start, end, mode, page(offset), guest));
      // A kernel maps whole pages of the file, and unidbg what the segment names.
      if ((flags & 2) == 0) {
        long last = module.base + address + size;
        int from = (int) (offset + size);
        int more = (int) Math.min(end - last, file.length - from);
        if (more > 0) {
          emulator
              .getBackend()
              .mem_write(last, java.util.Arrays.copyOfRange(file, from, from + more));
        }
        int before = (int) (offset - page(offset));
        if (before > 0) {
          emulator
              .getBackend()
              .mem_write(
                  start, java.util.Arrays.copyOfRange(file, (int) page(offset), (int) offset));
        }
      }
    }
    return out;
  }

  private void unpackSystem() throws IOException {
    Path lib = Files.createDirectories(root.resolve("system/lib64"));
    for (String name : SYSTEM) {
      try (InputStream in =
          AndroidResolver.class.getResourceAsStream("/android/sdk23/lib64/" + name)) {
        Files.copy(in, lib.resolve(name), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private UnidbgPointer string(String text) {
    byte[] bytes = (text + "\0").getBytes(StandardCharsets.UTF_8);
    MemoryBlock block = emulator.getMemory().malloc(bytes.length, false);
    block.getPointer().write(bytes);
    return block.getPointer();
  }

  private UnidbgPointer zeroed(int size) {
    UnidbgPointer out = emulator.getMemory().malloc(size, false).getPointer();
    out.write(new byte[size]);
    return out;
  }

  private long call(Module module, String name, Object... arguments) {
    return module.callFunction(emulator, name, arguments).longValue();
  }

  private static String text(UnidbgPointer pointer) {
    return pointer == null ? "" : pointer.getString(0);
  }

  private static void say(String name, Object value) {
    System.out.println(name + "=" + value);
  }

  /** Where the library's pointers to the loader's functions are shown to lead. */
  private void hideLoader(Module own, String guest) throws IOException {
    Module libdl = emulator.getMemory().findModule("libdl.so");
    byte[] file = Files.readAllBytes(root.resolve(guest.substring(1)));
    for (ElfImports.Slot slot : ElfImports.read(file)) {
      for (String name : LOADER) {
        if (!slot.name().equals(name)) {
          continue;
        }
        long address =
            ElfImports.exported(Files.readAllBytes(root.resolve("system/lib64/libdl.so")), name);
        kernel.show(own.base + slot.address(), libdl.base + address);
      }
    }
  }

  private int run(String app, String config, String url, boolean hide, boolean patch)
      throws IOException {
    unpackSystem();
    Memory memory = emulator.getMemory();
    memory.setLibraryResolver(new AndroidResolver(23));
    VM vm = emulator.createDalvikVM();
    vm.setVerbose(false);
    String guest = "/data/app/" + app + "/lib/arm64/libtouchmark.so";
    kernel.text(
        "/proc/self/status", () -> "Name:\tapp\nTracerPid:\t0\n".getBytes(StandardCharsets.UTF_8));
    kernel.text(
        "/proc/self/mountinfo",
        () -> "1 0 253:0 / / ro,relatime - ext4 /dev/root ro\n".getBytes(StandardCharsets.UTF_8));
    kernel.text("/sys/devices/system/cpu/online", () -> "0\n".getBytes(StandardCharsets.UTF_8));
    kernel.text("/sys/devices/system/cpu/possible", () -> "0\n".getBytes(StandardCharsets.UTF_8));
    DalvikModule loaded = vm.loadLibrary(root.resolve(guest.substring(1)).toFile(), true);
    Module own = loaded.getModule();
    List<Mapping> mappings = new ArrayList<>(mappings(own, guest));
    for (String name : SYSTEM) {
      Module module = memory.findModule(name);
      if (module != null) {
        mappings.addAll(mappings(module, "/system/lib64/" + name));
      }
    }
    mappings.sort(Comparator.comparingLong(Mapping::start));
    StringBuilder maps = new StringBuilder();
    for (Mapping mapping : mappings) {
      maps.append(mapping.line());
    }
    kernel.text("/proc/self/maps", () -> maps.toString().getBytes(StandardCharsets.UTF_8));
    if (hide) {
      hideLoader(own, guest);
      hideLoader(memory.findModule("libc.so"), "/system/lib64/libc.so");
    }
    loaded.callJNI_OnLoad(emulator);
    if (patch) { // as a hook would begin, in a function that the checks do not call
      long at = own.base + own.findSymbolByName("touchmark_pin_allows", false).getValue();
      emulator.getBackend().mem_write(at, new byte[] {0x1f, 0x20, 0x03, (byte) 0xd5});
    }
    say("jni_on_load", "ok");
    say("version", text(UnidbgPointer.pointer(emulator, call(own, "touchmark_version"))));

    // touchmark_options (attester/include/touchmark.h)
    UnidbgPointer options = zeroed(64);
    options.setLong(0, 64);
    options.setPointer(8, string(config));
    options.setPointer(16, string("/data/data/org.example.app/no_backup"));
    options.setPointer(24, string("/data/app/" + app + "/base.apk"));
    options.setPointer(32, string("org.example.app"));
    options.setPointer(
        40,
        string(
            "{\"os\":\"android\",\"api_level\":23,\"os_version\":\"6.0.1\",\"model\":\"Phone\"}"));
    options.setPointer(48, string("Android"));
    UnidbgPointer client = zeroed(8);
    UnidbgPointer message = zeroed(8);
    long status = call(own, "touchmark_open", options, client, message);
    say("open", status);
    if (status != 0) {
      say("message", text(message.getPointer(0)));
      return 1;
    }
    UnidbgPointer result = zeroed(64);
    status = call(own, "touchmark_fetch_token", client.getPointer(0), string(url), null, result);
    say("fetch", status);
    say("message", text(result.getPointer(40)));
    say("arc", text(result.getPointer(32)));
    say("token", text(result.getPointer(8)));
    say(
        "device",
        text(
            UnidbgPointer.pointer(
                emulator, call(own, "touchmark_device_id", client.getPointer(0)))));
    call(own, "touchmark_result_free", result);
    call(own, "touchmark_close", client.getPointer(0));
    return status == 0 ? 0 : 1;
  }

  /** See the class. */
  public static void main(String[] arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of(arguments));
    boolean hide = words.remove("--hide");
    boolean patch = words.remove("--patch");
    if (words.size() != 4) {
      System.err.println("usage: OffDevice [--hide] [--patch] ROOT APP_FOLDER CONFIG_FILE URL");
      System.exit(2);
    }
    String config = Files.readString(Path.of(words.get(2))).trim();
    OffDevice device = new OffDevice(Path.of(words.get(0)), "org.example.app");
    System.exit(device.run(words.get(1), config, words.get(3), hide, patch));
  }
}
