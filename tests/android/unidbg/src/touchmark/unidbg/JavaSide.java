package touchmark.unidbg;

import com.github.unidbg.AndroidEmulator;
import com.github.unidbg.Emulator;
import com.github.unidbg.arm.Arm64Svc;
import com.github.unidbg.arm.context.RegisterContext;
import com.github.unidbg.linux.android.dvm.AbstractJni;
import com.github.unidbg.linux.android.dvm.BaseVM;
import com.github.unidbg.linux.android.dvm.DvmClass;
import com.github.unidbg.linux.android.dvm.DvmObject;
import com.github.unidbg.linux.android.dvm.StringObject;
import com.github.unidbg.linux.android.dvm.VM;
import com.github.unidbg.linux.android.dvm.VaList;
import com.github.unidbg.linux.android.dvm.array.ArrayObject;
import com.github.unidbg.linux.android.dvm.array.ByteArray;
import com.github.unidbg.pointer.UnidbgPointer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.util.List;

/**
 * The app's Java code, as far as the library calls it; the key that the phone would keep is ours.
 */
final class JavaSide extends AbstractJni {
  private static final String CORE = "touchmark/sdk/NativeCore";
  private static final int GET_STRING_REGION = 0x6e0; // in JNI's table of functions

  private final AndroidEmulator emulator;
  private final VM vm;
  private final DvmClass core;
  private KeyPair key;

  JavaSide(AndroidEmulator emulator, VM vm) {
    this.emulator = emulator;
    this.vm = vm;
    this.core = vm.resolveClass(CORE);
    vm.setJni(this);
    mendGetStringRegion();
  }

  /** unidbg counts bytes where JNI counts characters. */
  private void mendGetStringRegion() {
    Arm64Svc svc =
        new Arm64Svc("GetStringRegion") {
          @Override
          public long handle(Emulator<?> running) {
            RegisterContext context = running.getContext();
            StringObject text = vm.getObject(context.getPointerArg(1).toIntPeer());
            int start = context.getIntArg(2);
            String part = text.getValue().substring(start, start + context.getIntArg(3));
            if (!part.isEmpty()) {
              context.getPointerArg(4).write(part.getBytes(StandardCharsets.UTF_16LE));
            }
            return 0;
          }
        };
    UnidbgPointer functions = ((UnidbgPointer) vm.getJNIEnv()).getPointer(0);
    functions.setPointer(GET_STRING_REGION, emulator.getSvcMemory().registerSvc(svc));
  }

  private StringObject text(String value) {
    return new StringObject(vm, value);
  }

  /** NativeCore.open as the app's Application object calls it. */
  long open(String config, String storage, String apk, String name, List<String> facts) {
    DvmObject<?>[] all = facts.stream().map(this::text).toArray(DvmObject[]::new);
    DvmObject<?> keystore = vm.resolveClass("touchmark/sdk/KeystoreKey").newObject(null);
    return core.callStaticJniMethodLong(
        emulator,
        "open(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;"
            + "[Ljava/lang/String;Ltouchmark/sdk/KeystoreKey;)J",
        text(config),
        text(storage),
        text(apk),
        text(name),
        new ArrayObject(all),
        keystore);
  }

  /** NativeCore.fetchToken: status, token, header, prefix, ARC, message. */
  String[] fetchToken(long client, String url) {
    DvmObject<String[]> result =
        core.callStaticJniMethodObject(
            emulator,
            "fetchToken(JLjava/lang/String;Ljava/lang/String;)Ltouchmark/sdk/TokenFetchResult;",
            client,
            text(url),
            null);
    return result.getValue();
  }

  String version() {
    return string("version()Ljava/lang/String;");
  }

  String deviceId(long client) {
    return string("deviceId(J)Ljava/lang/String;", client);
  }

  private String string(String method, Object... arguments) {
    DvmObject<?> out = core.callStaticJniMethodObject(emulator, method, arguments);
    return String.valueOf(out.getValue());
  }

  @Override
  public DvmObject<?> callObjectMethodV(
      BaseVM machine, DvmObject<?> object, String signature, VaList arguments) {
    try {
      switch (signature) {
        case "touchmark/sdk/KeystoreKey->load(Ljava/lang/String;)[B":
        case "touchmark/sdk/KeystoreKey->attestation()[[B":
        case "touchmark/sdk/KeystoreKey->playIntegrityToken(Ljava/lang/String;)Ljava/lang/String;":
          return null;
        case "touchmark/sdk/KeystoreKey->make(Ljava/lang/String;[B)[B":
          KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
          generator.initialize(new ECGenParameterSpec("secp256r1"));
          key = generator.generateKeyPair();
          return new ByteArray(vm, key.getPublic().getEncoded());
        case "touchmark/sdk/KeystoreKey->sign([B)[B":
          Signature signer = Signature.getInstance("SHA256withECDSA");
          signer.initSign(key.getPrivate());
          signer.update(((ByteArray) arguments.getObjectArg(0)).getValue());
          return new ByteArray(vm, signer.sign());
        default:
          return super.callObjectMethodV(machine, object, signature, arguments);
      }
    } catch (GeneralSecurityException failure) {
      throw new IllegalStateException(failure);
    }
  }

  /** Of its surroundings and its methods the app says nothing: there is no Java to look at. */
  @Override
  public DvmObject<?> callStaticObjectMethodV(
      BaseVM machine, DvmClass type, String signature, VaList arguments) {
    switch (signature) {
      case "touchmark/sdk/Surroundings->facts()[Ljava/lang/String;":
      case "touchmark/sdk/Surroundings->methods()[Ljava/lang/Object;":
      case "touchmark/sdk/Surroundings->methodNames()[Ljava/lang/String;":
      case "touchmark/sdk/Surroundings->methodModifiers()[I":
        return null;
      default:
        return super.callStaticObjectMethodV(machine, type, signature, arguments);
    }
  }

  @Override
  public DvmObject<?> newObjectV(
      BaseVM machine, DvmClass type, String signature, VaList arguments) {
    if (type.getClassName().equals("touchmark/sdk/TokenFetchResult")) {
      String[] values = new String[6];
      values[0] = Integer.toString(arguments.getIntArg(0));
      for (int i = 1; i < values.length; ++i) {
        DvmObject<?> value = arguments.getObjectArg(i);
        values[i] = value == null ? "" : String.valueOf(value.getValue());
      }
      return type.newObject(values);
    }
    if (type.getClassName().equals("touchmark/sdk/TouchmarkException")) {
      throw new IllegalStateException(
          arguments.getIntArg(0) + ": " + arguments.getObjectArg(1).getValue());
    }
    return super.newObjectV(machine, type, signature, arguments);
  }
}
