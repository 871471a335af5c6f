package com.example.rates

import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.route
import io.ktor.server.routing.routing
import touchmark.attestation.Level
import touchmark.attestation.RouteOptions
import touchmark.attestation.ktor.Touchmark
import touchmark.attestation.ktor.touchmarkResult

fun Application.rates() {
    routing {
        route("/v2") {
            install(Touchmark)
            get("/rates") { call.respondText("""{"EUR":1}""") }
        }
        route("/admin") {
            install(Touchmark) { route = RouteOptions.none().level(Level.SECURE_CHIP) }
            get { call.respondText("device ${call.touchmarkResult?.device()}") }
        }
    }
}
