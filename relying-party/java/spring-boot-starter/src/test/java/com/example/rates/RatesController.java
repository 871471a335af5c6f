package com.example.rates;

import java.util.Map;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import touchmark.attestation.Level;
import touchmark.attestation.spring.CheckTouchmark;

@RestController
public class RatesController {
  @GetMapping("/v2/rates")
  @CheckTouchmark
  public Map<String, Integer> rates() {
    return Map.of("EUR", 1);
  }

  @PostMapping("/v2/orders")
  @CheckTouchmark(level = Level.TEE, bindingHeaders = "Authorization")
  public Map<String, Boolean> order() {
    return Map.of("taken", true);
  }
}
