package touchmark.attestation.ktor

import io.ktor.server.application.install
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.request.contentLength
import io.ktor.server.request.receive
import io.ktor.server.response.respondText
import io.ktor.server.routing.route
import io.ktor.server.routing.routing
import java.time.InstantSource
import java.util.concurrent.atomic.AtomicReference
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import touchmark.attestation.Decision
import touchmark.attestation.Guard
import touchmark.attestation.Settings
import touchmark.attestation.contract.Contract

class KtorContractTest {
    @TestFactory fun contract(): List<DynamicTest> = Contract.run(::start, "/checked")

    @TestFactory
    fun signedRequests(): List<DynamicTest> {
        val (longer, others) = Contract.runSigned(::start).partition { "longer than 8 KiB" in it.displayName }
        // CIO itself refuses a header of more than 8 KiB.
        assertEquals(1, longer.size)
        return others
    }

    private fun start(settings: Map<String, String>, clock: InstantSource): Contract.Server {
        val last = AtomicReference<Decision>()
        val guarded = Guard(Settings.read(settings), clock).observe(last::set)
        val server =
            embeddedServer(CIO, port = 0, host = "127.0.0.1") {
                routing {
                    route("{...}") {
                        install(Touchmark) { guard = guarded }
                        handle {
                            val length = call.receive<ByteArray>().size
                            val sent = call.request.contentLength()?.toInt() ?: 0
                            call.respondText(if (length == sent) "served" else "$length bytes")
                        }
                    }
                }
            }
        server.start(wait = false)
        val port = runBlocking { server.engine.resolvedConnectors().first().port }
        return object : Contract.Server {
            override fun port() = port

            override fun last(): Decision? = last.getAndSet(null)

            override fun close() {
                server.stop(0, 0)
                guarded.close()
            }
        }
    }
}
