package com.example.rates.servlet;

import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.annotation.WebListener;
import touchmark.attestation.servlet.TouchmarkFilter;

/** Every request below /v2 needs a token; a setting that cannot be one stops the start. */
@WebListener
public final class CheckTokens implements ServletContextListener {
  @Override
  public void contextInitialized(ServletContextEvent event) {
    event
        .getServletContext()
        .addFilter("touchmark", TouchmarkFilter.class)
        .addMappingForUrlPatterns(null, false, "/v2/*");
  }
}
