// Frida hook: the SDK's native pin check says yes to every server. The bypass of certificate pinning
// at run time, without repackaging.
const allows = Process.getModuleByName("libtouchmark.so").getExportByName("touchmark_pin_allows");
Interceptor.replace(allows, new NativeCallback(() => 1, "int",
    ["pointer", "pointer", "pointer", "size_t"]));
send("touchmark_pin_allows answers 1");
