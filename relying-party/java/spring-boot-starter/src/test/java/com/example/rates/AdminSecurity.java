package com.example.rates;

import static touchmark.attestation.spring.TouchmarkConfigurer.touchmark;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.web.SecurityFilterChain;
import touchmark.attestation.Level;
import touchmark.attestation.RouteOptions;

@Configuration
public class AdminSecurity {
  @Bean
  SecurityFilterChain admin(HttpSecurity http) throws Exception {
    RouteOptions options = RouteOptions.none().name("/admin/**").level(Level.SECURE_CHIP);
    return http.securityMatcher("/admin/**")
        .with(touchmark(), check -> check.route(options))
        .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
        .build();
  }
}
