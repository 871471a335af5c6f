/// Touchmark's SDK for Flutter. See README.md: nothing of this has run.
library;

import 'dart:convert';
import 'dart:ffi';
import 'dart:io';
import 'dart:isolate';
import 'dart:typed_data';

import 'package:ffi/ffi.dart';
import 'package:http/http.dart' as http;

import 'src/bindings.dart';

/// Why there is no token, or no client.
final class TouchmarkException implements Exception {
  const TouchmarkException(this.status, this.message);

  /// touchmark_status
  final int status;
  final String message;

  /// Whether the same call may succeed later: it was the network.
  bool get isRetryable => status == touchmarkNoNetwork || status == touchmarkPoorNetwork;

  @override
  String toString() => 'TouchmarkException($status): $message';
}

final class TouchmarkToken {
  const TouchmarkToken({
    required this.token,
    required this.headerName,
    required this.headerValue,
    required this.arc,
    required this.configChanged,
    required this.expiresIn,
  });

  final String token;
  final String headerName;
  final String headerValue;

  /// Empty unless the policy reveals it.
  final String arc;
  final bool configChanged;
  final Duration expiresIn;
}

/// Keep one for the life of the app.
final class Touchmark {
  Touchmark._(this._client);

  static final Bindings _bindings = Bindings.ofThisPlatform();

  final Pointer<NativeClient> _client;

  static String get version => _bindings.version().toDartString();

  /// Opens the SDK with the text of the initial configuration. [storageFolder] is the app's own,
  /// and in no backup.
  static Touchmark open({
    required String config,
    required String storageFolder,
    String? packageName,
  }) =>
      using((arena) {
        final options = arena<NativeOptions>();
        options.ref
          ..size = sizeOf<NativeOptions>()
          ..config = config.toNativeUtf8(allocator: arena)
          ..storageDir = storageFolder.toNativeUtf8(allocator: arena)
          ..packagePath = nullptr
          ..packageName =
              packageName == null ? nullptr : packageName.toNativeUtf8(allocator: arena)
          ..platformJson = jsonEncode({
            'os': Platform.operatingSystem,
            'os_version': Platform.operatingSystemVersion,
          }).toNativeUtf8(allocator: arena)
          ..sdkPlatform =
              (Platform.isIOS ? 'iOS' : 'Android').toNativeUtf8(allocator: arena)
          ..keyProvider = nullptr
          ..observer = nullptr;
        final client = arena<Pointer<NativeClient>>();
        final message = arena<Pointer<Utf8>>();
        final status = _bindings.open(options, client, message);
        if (status == touchmarkOk) return Touchmark._(client.value);
        throw TouchmarkException(status, _text(message.value, status));
      });

  /// A token for [url], from the cache while it is fresh. [binding] is a value that the token is
  /// bound to. The call blocks in C, so it runs in an isolate of its own.
  Future<TouchmarkToken> fetchToken(Uri url, {String binding = ''}) {
    final address = _client.address;
    final text = url.toString();
    // A C string ends at a NUL, and what is behind it would not count.
    if (text.contains('\u0000') || binding.contains('\u0000')) {
      throw const TouchmarkException(touchmarkInvalidArgument, 'a NUL in the URL or the binding');
    }
    return Isolate.run(() => _fetch(address, text, binding));
  }

  static TouchmarkToken _fetch(int client, String url, String binding) => using((arena) {
        final result = arena<NativeResult>();
        final status = _bindings.fetchToken(
            Pointer<NativeClient>.fromAddress(client),
            url.toNativeUtf8(allocator: arena),
            binding.toNativeUtf8(allocator: arena),
            result);
        try {
          final made = result.ref;
          if (status != touchmarkOk) {
            throw TouchmarkException(status, _text(made.message, status));
          }
          final token = made.token.toDartString();
          return TouchmarkToken(
            token: token,
            headerName: made.header.toDartString(),
            headerValue: made.prefix.toDartString() + token,
            arc: made.arc == nullptr ? '' : made.arc.toDartString(),
            configChanged: made.configChanged != 0,
            expiresIn: Duration(seconds: made.expiresIn),
          );
        } finally {
          _bindings.resultFree(result);
        }
      });

  static String _text(Pointer<Utf8> message, int status) => message == nullptr
      ? _bindings.statusText(status).toDartString()
      : message.toDartString();

  /// For a request that was answered with 401 although it carried a token.
  void discardTokens() => _bindings.discardTokens(_client);

  /// Whether the configuration names this "host" or "host:port" as a protected API.
  bool isProtected(String host) => using((arena) =>
      _bindings.isProtected(_client, host.toNativeUtf8(allocator: arena)) != 0);

  static bool isSameHost(Uri one, Uri other) => using((arena) =>
      _bindings.sameHost(one.toString().toNativeUtf8(allocator: arena),
          other.toString().toNativeUtf8(allocator: arena)) !=
      0);

  /// Whether a connection to "host:port" may go on whose peer has shown this certificate, DER. Dart
  /// shows the peer's own certificate and no other, so a pin has to be of its key.
  bool allowsCertificate(String host, Uint8List der) => using((arena) {
        final bytes = arena<Uint8>(der.length);
        bytes.asTypedList(der.length).setAll(0, der);
        final pin = arena<Uint8>(32);
        if (_bindings.certificatePin(bytes.cast(), der.length, pin) == 0) return false;
        return _bindings.pinAllows(
                _client, host.toNativeUtf8(allocator: arena), pin, 1) !=
            0;
      });

  /// Empty before the first token.
  String get deviceId => _bindings.deviceId(_client).toDartString();
  int get configVersion => _bindings.configVersion(_client);

  /// Waits for running fetches. Nothing may be called afterwards.
  void close() => _bindings.close(_client);

  /// A client of package:http that holds connections to the pins and sends tokens.
  http.Client httpClient() => TouchmarkHttpClient(this);
}

/// Sends each request to a protected host with a token, over connections whose peer's key is one of
/// the pins, and follows no redirect: the token would go to whatever host the answer names.
final class TouchmarkHttpClient extends http.BaseClient {
  TouchmarkHttpClient(this._touchmark) {
    _sockets.connectionFactory = _connect;
  }

  final Touchmark _touchmark;
  final HttpClient _sockets = HttpClient();

  Future<ConnectionTask<Socket>> _connect(Uri url, String? proxyHost, int? proxyPort) async {
    if (proxyHost != null) {
      throw const SocketException('a proxy cannot be held to the pins');
    }
    if (url.scheme != 'https') return Socket.startConnect(url.host, url.port);
    final task = await SecureSocket.startConnect(url.host, url.port);
    final checked = task.socket.then<Socket>((socket) {
      final certificate = socket.peerCertificate;
      final place = '${url.host}:${url.port}';
      if (certificate != null && _touchmark.allowsCertificate(place, certificate.der)) {
        return socket;
      }
      socket.destroy();
      throw TlsException('$place has a key that is none of the pins');
    });
    return ConnectionTask.fromSocket(checked, task.cancel);
  }

  @override
  Future<http.StreamedResponse> send(http.BaseRequest request) async {
    final place = '${request.url.host}:${request.url.port}';
    if (request.url.scheme == 'https' && _touchmark.isProtected(place)) {
      final token = await _touchmark.fetchToken(request.url);
      request.headers[token.headerName] = token.headerValue;
      request.followRedirects = false;
    }
    final sent = await _sockets.openUrl(request.method, request.url);
    sent
      ..followRedirects = request.followRedirects
      ..maxRedirects = request.maxRedirects
      ..persistentConnection = request.persistentConnection
      ..contentLength = request.contentLength ?? -1;
    request.headers.forEach(sent.headers.set);
    await sent.addStream(request.finalize());
    final answer = await sent.close();
    final headers = <String, String>{};
    answer.headers.forEach((name, values) => headers[name] = values.join(','));
    return http.StreamedResponse(
      answer,
      answer.statusCode,
      contentLength: answer.contentLength < 0 ? null : answer.contentLength,
      request: request,
      headers: headers,
      isRedirect: answer.isRedirect,
      reasonPhrase: answer.reasonPhrase,
    );
  }

  @override
  void close() => _sockets.close(force: true);
}
