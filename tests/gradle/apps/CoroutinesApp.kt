package com.example.coroutines

import android.content.Context
import android.content.res.AssetManager
import java.io.File
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.system.exitProcess
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import touchmark.sdk.TokenFetchResult
import touchmark.sdk.TokenFetchStatus
import touchmark.sdk.Touchmark
import touchmark.sdk.TouchmarkException
import touchmark.sdk.coroutines.fetchToken

private const val API = "https://api.example.com/orders"

/** Arguments: the configuration, a folder for the app's data. Prints what it fetched. */
fun main(arguments: Array<String>) {
  val config = File(arguments[0]).readBytes()
  val context =
      Context(File(arguments[1]), AssetManager(mapOf(Touchmark.CONFIG_ASSET to config)))
  val touchmark: Touchmark =
      try {
        Touchmark.initialize(context)
      } catch (failed: TouchmarkException) {
        error(failed.status)
      }
  touchmark.setPlayIntegrityProvider { nonce -> nonce.takeIf { it.isEmpty() } }
  runBlocking {
    val main = Thread.currentThread()
    val first: TokenFetchResult = touchmark.fetchToken(API)
    check(Thread.currentThread() === main) { "resumed elsewhere" }
    check(first.status == TokenFetchStatus.OK) { first }
    check(touchmark.fetchToken("https://other.example/").status == TokenFetchStatus.UNKNOWN_URL)
    check(touchmark.fetchToken("no url").status == TokenFetchStatus.INVALID_ARGUMENT)
    val bound = withContext(Dispatchers.Default) { touchmark.fetchToken(API, "Bearer value") }
    val many = (1..50).map { async { touchmark.fetchToken(API) } }.awaitAll()
    check(many.all { it.token == first.token }) { "the cache" }
    isCancelledAtOnce(touchmark)
    println("TOKEN ${first.token}")
    println("BOUND ${bound.token}")
  }
  exitProcess(0)
}

private suspend fun isCancelledAtOnce(touchmark: Touchmark) {
  val busy = CountDownLatch(1)
  // The SDK's own thread, so that no fetch behind it comes to its end.
  touchmark.fetchToken(API) { result -> check(busy.await(30, TimeUnit.SECONDS)) { result } }
  check(withTimeoutOrNull(100) { touchmark.fetchToken(API) } == null) { "it should wait" }
  runBlocking {
    val waiting = launch(start = CoroutineStart.UNDISPATCHED) { touchmark.fetchToken(API) }
    waiting.cancelAndJoin()
    check(waiting.isCancelled)
  }
  check(busy.count == 1L) { "it waited for the fetch" }
  busy.countDown()
  check(touchmark.fetchToken(API).status == TokenFetchStatus.OK)
}
