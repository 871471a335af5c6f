@file:JvmName("FetchToken")

package touchmark.sdk.coroutines

import kotlin.coroutines.resume
import kotlinx.coroutines.suspendCancellableCoroutine
import touchmark.sdk.TokenFetchCallback
import touchmark.sdk.TokenFetchResult
import touchmark.sdk.Touchmark

/**
 * Fetches a token for a request to [url], as [Touchmark.fetchTokenAndWait] does, without holding a
 * thread meanwhile: it may be called on the main thread. Whatever goes wrong is in the result's
 * status, and nothing is thrown.
 *
 * A coroutine that is cancelled goes on at once. The fetch itself runs to its end on the SDK's own
 * thread, and its token serves whoever asks next.
 *
 * @param binding a value that the same request carries, such as its Authorization header, which the
 *   token is bound to; null for none
 */
public suspend fun Touchmark.fetchToken(url: String, binding: String? = null): TokenFetchResult =
    suspendCancellableCoroutine { waiting ->
      fetchToken(url, binding, TokenFetchCallback { result -> waiting.resume(result) })
    }
