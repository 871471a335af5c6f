// The C interface (attester/include/touchmark.h), function by function, in its order.
// tests/structure/test_flutter.py holds names, types, layouts and values to the header.
import 'dart:ffi';
import 'dart:io';

import 'package:ffi/ffi.dart';

// touchmark_status
const int touchmarkOk = 0;
const int touchmarkInvalidArgument = 1;
const int touchmarkBadConfig = 2;
const int touchmarkNoNetwork = 3;
const int touchmarkPoorNetwork = 4;
const int touchmarkMitmDetected = 5;
const int touchmarkUnknownUrl = 6;
const int touchmarkServiceError = 7;
const int touchmarkStorage = 8;
const int touchmarkClosed = 9;
const int touchmarkInternal = 10;

// touchmark_key_status
const int touchmarkKeyOk = 0;
const int touchmarkKeyNone = 1;
const int touchmarkKeyFailed = 2;

/// touchmark_client
final class NativeClient extends Opaque {}

/// touchmark_bytes
final class NativeBytes extends Opaque {}

/// touchmark_key_provider. Nothing here makes one: its functions are called on the library's own
/// thread and have to answer at once, which Dart can do on the isolate's own thread alone.
final class NativeKeyProvider extends Opaque {}

/// touchmark_observer
final class NativeObserver extends Opaque {}

/// touchmark_options
final class NativeOptions extends Struct {
  @Size()
  external int size;
  external Pointer<Utf8> config;
  external Pointer<Utf8> storageDir;
  external Pointer<Utf8> packagePath;
  external Pointer<Utf8> packageName;
  external Pointer<Utf8> platformJson;
  external Pointer<Utf8> sdkPlatform;
  external Pointer<NativeKeyProvider> keyProvider;
  external Pointer<NativeObserver> observer;
}

/// touchmark_result
final class NativeResult extends Struct {
  @Int32()
  external int status;
  external Pointer<Utf8> token;
  external Pointer<Utf8> header;
  external Pointer<Utf8> prefix;
  external Pointer<Utf8> arc;
  external Pointer<Utf8> message;
  @Int()
  external int configChanged;
  @Int64()
  external int expiresIn;
}

/// touchmark_done
typedef NativeDone = Void Function(Pointer<Void>, Pointer<NativeResult>);

/// The functions of one library.
final class Bindings {
  Bindings(this._library);

  /// libtouchmark.so on Android; on iOS the core is linked into the app.
  factory Bindings.ofThisPlatform() => Bindings(
      Platform.isIOS ? DynamicLibrary.process() : DynamicLibrary.open('libtouchmark.so'));

  final DynamicLibrary _library;

  late final bytesSet = _library.lookupFunction<
      Void Function(Pointer<NativeBytes>, Pointer<Void>, Size),
      void Function(Pointer<NativeBytes>, Pointer<Void>, int)>('touchmark_bytes_set');

  late final open = _library.lookupFunction<
      Int32 Function(
          Pointer<NativeOptions>, Pointer<Pointer<NativeClient>>, Pointer<Pointer<Utf8>>),
      int Function(Pointer<NativeOptions>, Pointer<Pointer<NativeClient>>,
          Pointer<Pointer<Utf8>>)>('touchmark_open');

  late final close = _library.lookupFunction<Void Function(Pointer<NativeClient>),
      void Function(Pointer<NativeClient>)>('touchmark_close');

  late final fetchToken = _library.lookupFunction<
      Int32 Function(
          Pointer<NativeClient>, Pointer<Utf8>, Pointer<Utf8>, Pointer<NativeResult>),
      int Function(Pointer<NativeClient>, Pointer<Utf8>, Pointer<Utf8>,
          Pointer<NativeResult>)>('touchmark_fetch_token');

  late final fetchTokenAsync = _library.lookupFunction<
      Int32 Function(Pointer<NativeClient>, Pointer<Utf8>, Pointer<Utf8>,
          Pointer<NativeFunction<NativeDone>>, Pointer<Void>),
      int Function(
          Pointer<NativeClient>,
          Pointer<Utf8>,
          Pointer<Utf8>,
          Pointer<NativeFunction<NativeDone>>,
          Pointer<Void>)>('touchmark_fetch_token_async');

  late final resultFree = _library.lookupFunction<Void Function(Pointer<NativeResult>),
      void Function(Pointer<NativeResult>)>('touchmark_result_free');

  late final discardTokens = _library.lookupFunction<Void Function(Pointer<NativeClient>),
      void Function(Pointer<NativeClient>)>('touchmark_discard_tokens');

  late final setPackagePath = _library.lookupFunction<
      Void Function(Pointer<NativeClient>, Pointer<Utf8>),
      void Function(Pointer<NativeClient>, Pointer<Utf8>)>('touchmark_set_package_path');

  late final pinAllows = _library.lookupFunction<
      Int Function(Pointer<NativeClient>, Pointer<Utf8>, Pointer<Uint8>, Size),
      int Function(
          Pointer<NativeClient>, Pointer<Utf8>, Pointer<Uint8>, int)>('touchmark_pin_allows');

  late final certificatePin = _library.lookupFunction<
      Int Function(Pointer<Void>, Size, Pointer<Uint8>),
      int Function(Pointer<Void>, int, Pointer<Uint8>)>('touchmark_certificate_pin');

  late final chainPins = _library.lookupFunction<
      Size Function(Pointer<Pointer<Void>>, Pointer<Size>, Size, Pointer<Uint8>),
      int Function(
          Pointer<Pointer<Void>>, Pointer<Size>, int, Pointer<Uint8>)>('touchmark_chain_pins');

  late final sameHost = _library.lookupFunction<Int Function(Pointer<Utf8>, Pointer<Utf8>),
      int Function(Pointer<Utf8>, Pointer<Utf8>)>('touchmark_same_host');

  late final isProtected = _library.lookupFunction<
      Int Function(Pointer<NativeClient>, Pointer<Utf8>),
      int Function(Pointer<NativeClient>, Pointer<Utf8>)>('touchmark_is_protected');

  late final deviceId = _library.lookupFunction<
      Pointer<Utf8> Function(Pointer<NativeClient>),
      Pointer<Utf8> Function(Pointer<NativeClient>)>('touchmark_device_id');

  late final configVersion = _library.lookupFunction<Int64 Function(Pointer<NativeClient>),
      int Function(Pointer<NativeClient>)>('touchmark_config_version');

  late final statusText = _library.lookupFunction<Pointer<Utf8> Function(Int32),
      Pointer<Utf8> Function(int)>('touchmark_status_text');

  late final version = _library.lookupFunction<Pointer<Utf8> Function(),
      Pointer<Utf8> Function()>('touchmark_version');
}
