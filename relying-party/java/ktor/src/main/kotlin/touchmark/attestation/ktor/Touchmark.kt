package touchmark.attestation.ktor

import io.ktor.http.ContentType
import io.ktor.http.Headers
import io.ktor.http.HttpStatusCode
import io.ktor.http.content.OutgoingContent
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.ApplicationCallPipeline
import io.ktor.server.application.ApplicationStopped
import io.ktor.server.application.RouteScopedPlugin
import io.ktor.server.application.createRouteScopedPlugin
import io.ktor.server.application.call
import io.ktor.server.plugins.origin
import io.ktor.server.request.ApplicationReceivePipeline
import io.ktor.server.request.httpMethod
import io.ktor.server.request.path
import io.ktor.server.request.uri
import io.ktor.server.response.header
import io.ktor.server.response.respondBytes
import io.ktor.util.AttributeKey
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.copyTo
import io.ktor.utils.io.readRemaining
import io.ktor.utils.io.writeFully
import io.ktor.utils.io.writer
import java.io.IOException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.io.readByteArray
import touchmark.attestation.Guard
import touchmark.attestation.Refusal
import touchmark.attestation.Request
import touchmark.attestation.RouteOptions
import touchmark.attestation.Settings
import touchmark.attestation.TokenResult

/** What [Touchmark] is installed with. */
public class TouchmarkConfig {
    /** The application's guard; without one, that of [touchmarkGuard]. */
    public var guard: Guard? = null

    /** What the route asks for beside the settings. */
    public var route: RouteOptions = RouteOptions.none()
}

/**
 * Refuses every request without a valid token, in the application or the route where it is
 * installed. What it lets by has the result in [touchmarkResult].
 */
public val Touchmark: RouteScopedPlugin<TouchmarkConfig> =
    createRouteScopedPlugin("Touchmark", ::TouchmarkConfig) {
        val guard = pluginConfig.guard ?: application.touchmarkGuard
        val asked = guard.checked(pluginConfig.route)
        val options = if (asked.name().isEmpty()) asked.name(route?.toString() ?: "") else asked
        // Before what Ktor makes of a body: by then a plugin's own hook no longer sees the bytes.
        val pipeline = route as? ApplicationCallPipeline ?: application
        pipeline.receivePipeline.intercept(ApplicationReceivePipeline.Before) { body ->
            val begin = call.attributes.getOrNull(BODY)
            if (begin != null && body is ByteReadChannel) {
                proceedWith(if (body.isClosedForRead) ByteReadChannel(begin) else both(call, begin, body))
            }
        }
        onCall { call ->
            val body = if (guard.readsBodies()) beginOf(call, guard.longestBody() + 1) else null
            val facts = CallFacts(call, body)
            // A server's thread must not wait for that of another.
            val decision =
                if (guard.mayWait()) {
                    withContext(Dispatchers.IO) { guard.check(facts, options) }
                } else {
                    guard.check(facts, options)
                }
            call.attributes.put(RESULT, decision.result())
            if (!decision.allowed()) {
                Refusal.HEADERS.forEach { (name, value) -> call.response.header(name, value) }
                call.respondBytes(
                    Refusal.body(), ContentType.Application.Json, HttpStatusCode.fromValue(Refusal.STATUS))
            } else if (decision.preflight()) {
                call.attributes.put(PREFLIGHT, Unit)
            }
        }
        onCallRespond { call ->
            if (PREFLIGHT in call.attributes) {
                transformBody { Bodiless(it as? OutgoingContent) }
            }
        }
    }

/** What was found about the token of this call, or null where nothing looks for one. */
public val ApplicationCall.touchmarkResult: TokenResult?
    get() = attributes.getOrNull(RESULT)

/**
 * The application's guard. It is made of the environment when it is first asked for, and closed when
 * the application stops.
 *
 * @throws touchmark.attestation.SettingsException when a setting cannot be one
 */
public val Application.touchmarkGuard: Guard
    get() =
        attributes.computeIfAbsent(GUARD) {
            val guard = Guard(Settings.fromEnvironment())
            monitor.subscribe(ApplicationStopped) { guard.close() }
            guard
        }

private val RESULT = AttributeKey<TokenResult>("touchmark.result")
private val BODY = AttributeKey<ByteArray>("touchmark.body")
private val PREFLIGHT = AttributeKey<Unit>("touchmark.preflight")
private val GUARD = AttributeKey<Guard>("touchmark.guard")

/** So many bytes of the body, at the most. The application gets them again. */
private suspend fun beginOf(call: ApplicationCall, most: Int): ByteArray {
    val begin = call.request.receiveChannel().readRemaining(most.toLong()).readByteArray()
    call.attributes.put(BODY, begin)
    return begin
}

private fun both(call: ApplicationCall, begin: ByteArray, rest: ByteReadChannel): ByteReadChannel =
    call.writer {
            channel.writeFully(begin)
            rest.copyTo(channel)
        }
        .channel

private class CallFacts(private val call: ApplicationCall, private val body: ByteArray?) : Request {
    override fun target(): String = call.request.uri

    override fun body(most: Int): ByteArray {
        val begin = body ?: throw IOException("the body was not read")
        if (begin.size > most) throw IOException("longer than $most bytes")
        return begin
    }

    override fun method(): String = call.request.httpMethod.value

    override fun headers(name: String): List<String> = call.request.headers.getAll(name) ?: emptyList()

    override fun path(): String = call.request.path()

    override fun client(): String = call.request.origin.remoteAddress
}

/** An answer with its status and headers, and without its body: that of a CORS preflight. */
private class Bodiless(private val content: OutgoingContent?) : OutgoingContent.NoContent() {
    override val status: HttpStatusCode?
        get() = content?.status

    override val headers: Headers
        get() = content?.headers ?: Headers.Empty

    override val contentLength: Long?
        get() = if (status == HttpStatusCode.NoContent) null else 0
}
