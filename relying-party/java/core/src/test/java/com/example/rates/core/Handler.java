package com.example.rates.core;

import java.util.List;
import java.util.Map;
import touchmark.attestation.Decision;
import touchmark.attestation.Guard;
import touchmark.attestation.Refusal;
import touchmark.attestation.Request;
import touchmark.attestation.Settings;

final class Handler {
  record Answer(int status, Map<String, String> headers, String body) {}

  private final Guard guard;

  /** With Settings.fromEnvironment(), where the server starts: a missing secret stops it here. */
  Handler(Settings settings) {
    guard = new Guard(settings);
  }

  Answer handle(String method, Map<String, List<String>> headers, String path, String client) {
    Decision decision = guard.check(new Asked(method, headers, path, client));
    if (!decision.allowed()) {
      return new Answer(Refusal.STATUS, Refusal.HEADERS, "{}"); // as Refusal.CONTENT_TYPE
    }
    if (decision.preflight()) {
      return new Answer(204, Map.of(), ""); // with your CORS headers, and without the answer
    }
    return new Answer(200, Map.of(), "{\"EUR\":1}");
  }

  private record Asked(String method, Map<String, List<String>> fields, String path, String client)
      implements Request {
    @Override
    public List<String> headers(String name) {
      return fields.getOrDefault(name, List.of()); // a map without regard to case
    }
  }
}
