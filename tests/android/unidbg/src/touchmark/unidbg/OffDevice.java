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
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import net.dongliu.apk.parser.ApkFile;

/**
 * Runs an app's libtouchmark.so off the device, on Android 6's own C library: installs the package
 * in a folder that stands for the phone's root, opens the library as the app does, has it attest
 * and prints the token.
 *
 * <p>As unidbg comes, its loader and its kernel show. {@code --hide} shows the checks what they
 * would see on a phone in the loader's place; {@code --forge} does the same for what they ask of
 * kernel, memory, processor and time, each by its name. {@code --patch} changes an instruction of
 * the library first.
 */
public final class OffDevice {
  private static final String[] SYSTEM = {"libc.so", "libm.so", "libdl.so", "liblog.so"};
  private static final String[] LOADER = {
    "dl_iterate_phdr", "dladdr", "dlclose", "dlerror", "dlopen", "dlsym"
  };

  /** What a run is asked to do. */
  private record Options(
      Path root,
      Path apk,
      String url,
      String config, // null for the package's own
      boolean hide,
      boolean patch,
      boolean java, // through JNI, as the app's Java code does it
      String release,
      Set<String> forge) {}

  private final Options options;
  private final Path root;
  private final AndroidEmulator emulator;
  private Kernel kernel;

  private final class Phone extends AndroidARM64Emulator {
    Phone(String process) {
      super(process, null, Collections.singleton(new Unicorn2Factory(true)));
    }

    @Override
    protected UnixSyscallHandler<AndroidFileIO> createSyscallHandler(SvcMemory memory) {
      kernel =
          options.forge.contains("kernel")
              ? new ForgedKernel(memory, root)
              : new Kernel(memory, root);
      return kernel;
    }

    @Override
    protected Memory createMemory(UnixSyscallHandler<AndroidFileIO> calls, String[] environment) {
      return options.forge.contains("memory")
          ? new ForgedMemory.HighLoader(this, calls)
          : super.createMemory(calls, environment);
    }
  }

  private OffDevice(Options options, String process) {
    this.options = options;
    this.root = options.root;
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

  /** Installs the package, as a phone does, and gives the library's path on it. */
  private String install(String name) throws IOException {
    String folder = "/data/app/" + name + "-1";
    Path apk = host(folder + "/base.apk");
    Path library = host(folder + "/lib/arm64/libtouchmark.so");
    Files.createDirectories(library.getParent());
    Files.createDirectories(host("/data/data/" + name + "/no_backup"));
    Files.copy(options.apk, apk, StandardCopyOption.REPLACE_EXISTING);
    Files.write(library, entry("lib/arm64-v8a/libtouchmark.so"));
    return folder;
  }

  private Path host(String guest) {
    return root.resolve(guest.substring(1));
  }

  private byte[] entry(String name) throws IOException {
    try (ZipFile apk = new ZipFile(options.apk.toFile())) {
      ZipEntry found = apk.getEntry(name);
      if (found == null) {
        throw new IOException(options.apk + " has no " + name);
      }
      return apk.getInputStream(found).readAllBytes();
    }
  }

  private void writeTexts() {
    if (!options.forge.contains("kernel")) {
      kernel.text("/proc/self/status", () -> bytes("Name:\tapp\nTracerPid:\t0\n"));
    }
    kernel.text(
        "/proc/self/mountinfo", () -> bytes("1 0 253:0 / / ro,relatime - ext4 /dev/root ro\n"));
    kernel.text("/sys/devices/system/cpu/online", () -> bytes("0\n"));
    kernel.text("/sys/devices/system/cpu/possible", () -> bytes("0\n"));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** What the process maps of files, as the kernel would list it. */
  private void listMemory(Module own, String guest) throws IOException {
    Memory memory = emulator.getMemory();
    List<Mapping> mappings = new ArrayList<>(mappings(own, guest));
    List<Module> modules = new ArrayList<>(List.of(own));
    for (String name : SYSTEM) {
      Module module = memory.findModule(name);
      if (module != null) {
        mappings.addAll(mappings(module, "/system/lib64/" + name));
        modules.add(module);
      }
    }
    mappings.sort(Comparator.comparingLong(Mapping::start));
    StringBuilder maps = new StringBuilder();
    for (Mapping mapping : mappings) {
      maps.append(mapping.line());
    }
    boolean forge = options.forge.contains("memory");
    LongPredicate ofModule =
        at -> modules.stream().anyMatch(m -> at >= m.base && at < m.base + m.size);
    kernel.text(
        "/proc/self/maps",
        () ->
            bytes(
                forge
                    ? ForgedMemory.list(emulator, kernel, maps.toString(), ofModule)
                    : maps.toString()));
  }

  private void deceive(Module own, String guest) throws IOException {
    if (options.hide) {
      hideLoader(own, guest);
      hideLoader(emulator.getMemory().findModule("libc.so"), "/system/lib64/libc.so");
    }
    if (options.forge.contains("memory")) {
      ForgedMemory.answerGetauxval(emulator, kernel, own, Files.readAllBytes(host(guest)));
      ForgedMemory.moveStack(emulator);
    }
    boolean processor = options.forge.contains("processor");
    boolean timing = options.forge.contains("timing");
    say("patched", ForgedProcessor.patch(emulator, kernel, own, processor, timing));
    if (options.patch) { // as a hook would begin, in a function that the checks do not call
      long at = own.base + own.findSymbolByName("touchmark_pin_allows", false).getValue();
      emulator.getBackend().mem_write(at, new byte[] {0x1f, 0x20, 0x03, (byte) 0xd5});
    }
  }

  private int run(String name) throws IOException {
    unpackSystem();
    emulator.getMemory().setLibraryResolver(new AndroidResolver(23));
    VM vm = emulator.createDalvikVM();
    vm.setVerbose(false);
    String folder = install(name);
    String guest = folder + "/lib/arm64/libtouchmark.so";
    writeTexts();
    DalvikModule loaded = vm.loadLibrary(host(guest).toFile(), true);
    Module own = loaded.getModule();
    listMemory(own, guest);
    deceive(own, guest);
    String config =
        options.config != null
            ? Files.readString(Path.of(options.config))
            : new String(entry("assets/touchmark-initial.config"), StandardCharsets.UTF_8);
    JavaSide java = new JavaSide(emulator, vm);
    loaded.callJNI_OnLoad(emulator);
    say("jni_on_load", "ok");
    String storage = "/data/data/" + name + "/no_backup";
    String apk = folder + "/base.apk";
    return options.java
        ? runJava(java, config.trim(), storage, apk, name)
        : runC(own, config.trim(), storage, apk, name);
  }

  private int runJava(JavaSide java, String config, String storage, String apk, String name) {
    say("version", java.version());
    List<String> facts =
        List.of(
            "os", "android", "api_level", level(), "os_version", options.release, "model", "Phone");
    long client = java.open(config, storage, apk, name, facts);
    say("open", client == 0 ? 1 : 0);
    String[] result = java.fetchToken(client, options.url);
    say("fetch", result[0]);
    say("message", result[5]);
    say("arc", result[4]);
    say("token", result[1]);
    say("device", java.deviceId(client));
    return result[0].equals("0") ? 0 : 1;
  }

  private String level() {
    return options.release.startsWith("6") ? "23" : "34";
  }

  /** Through the C interface, with the SDK's own software key. */
  private int runC(Module own, String config, String storage, String apk, String name) {
    say("version", text(UnidbgPointer.pointer(emulator, call(own, "touchmark_version"))));
    String facts =
        "{\"os\":\"android\",\"api_level\":%s,\"os_version\":\"%s\",\"model\":\"Phone\"}";
    // touchmark_options (attester/include/touchmark.h)
    UnidbgPointer arguments = zeroed(64);
    arguments.setLong(0, 64);
    arguments.setPointer(8, string(config));
    arguments.setPointer(16, string(storage));
    arguments.setPointer(24, string(apk));
    arguments.setPointer(32, string(name));
    arguments.setPointer(40, string(String.format(facts, level(), options.release)));
    arguments.setPointer(48, string("Android"));
    UnidbgPointer client = zeroed(8);
    UnidbgPointer message = zeroed(8);
    long status = call(own, "touchmark_open", arguments, client, message);
    say("open", status);
    if (status != 0) {
      say("message", text(message.getPointer(0)));
      return 1;
    }
    UnidbgPointer result = zeroed(64);
    UnidbgPointer opened = client.getPointer(0);
    status = call(own, "touchmark_fetch_token", opened, string(options.url), null, result);
    say("fetch", status);
    say("message", text(result.getPointer(40)));
    say("arc", text(result.getPointer(32)));
    say("token", text(result.getPointer(8)));
    say("device", text(UnidbgPointer.pointer(emulator, call(own, "touchmark_device_id", opened))));
    call(own, "touchmark_result_free", result);
    call(own, "touchmark_close", opened);
    return status == 0 ? 0 : 1;
  }

  private static String take(List<String> words, String option, String otherwise) {
    int at = words.indexOf(option);
    if (at < 0 || at + 1 == words.size()) {
      return otherwise;
    }
    words.remove(at);
    return words.remove(at);
  }

  /** See the class. */
  public static void main(String[] arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of(arguments));
    boolean hide = words.remove("--hide");
    boolean patch = words.remove("--patch");
    boolean java = words.remove("--java");
    String config = take(words, "--config", null);
    String release = take(words, "--release", "6.0.1");
    Set<String> forge = Set.of(take(words, "--forge", "none").split(","));
    if (words.size() != 3) {
      System.err.println(
          "usage: OffDevice [--hide] [--forge kernel,memory,processor,timing] [--patch] [--java]"
              + " [--release VERSION] [--config FILE] ROOT APK URL");
      System.exit(2);
    }
    Path apk = Path.of(words.get(1));
    String name;
    try (ApkFile opened = new ApkFile(apk.toFile())) {
      name = opened.getApkMeta().getPackageName();
    }
    Options options =
        new Options(
            Path.of(words.get(0)), apk, words.get(2), config, hide, patch, java, release, forge);
    System.exit(new OffDevice(options, name).run(name));
  }
}
