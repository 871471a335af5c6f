import 'dart:io';

import 'package:flutter/material.dart';
import 'package:flutter/services.dart';
import 'package:path_provider/path_provider.dart';
import 'package:touchmark/touchmark.dart';

/// The Currency Converter's one request. `API` is given with --dart-define.
const api = String.fromEnvironment('API', defaultValue: 'https://api.example.com');

Future<void> main() async {
  WidgetsFlutterBinding.ensureInitialized();
  final folder = Directory('${(await getApplicationSupportDirectory()).path}/touchmark');
  await folder.create(recursive: true);
  final touchmark = Touchmark.open(
    config: await rootBundle.loadString('assets/touchmark-initial.config'),
    storageFolder: folder.path,
    packageName: 'com.example.converter',
  );
  runApp(Converter(touchmark));
}

class Converter extends StatefulWidget {
  const Converter(this.touchmark, {super.key});
  final Touchmark touchmark;

  @override
  State<Converter> createState() => _ConverterState();
}

class _ConverterState extends State<Converter> {
  late final _client = widget.touchmark.httpClient();
  String _shown = '';

  Future<void> _convert() async {
    final url = Uri.parse('$api/v2/currency/convert/1/from/GBP/to/EUR');
    String shown;
    try {
      final answer = await _client.get(url);
      // A token that was refused may be one of an hour ago.
      if (answer.statusCode == 401) widget.touchmark.discardTokens();
      shown = '${answer.statusCode} ${answer.body}';
    } on TouchmarkException catch (failure) {
      shown = failure.message;
    } on IOException catch (failure) {
      shown = '$failure';
    }
    setState(() => _shown = shown);
  }

  @override
  Widget build(BuildContext context) => MaterialApp(
        home: Scaffold(
          body: Center(child: Text(_shown)),
          floatingActionButton: FloatingActionButton(
            onPressed: _convert,
            child: const Icon(Icons.currency_exchange),
          ),
        ),
      );
}
