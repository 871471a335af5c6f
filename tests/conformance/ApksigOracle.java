import com.android.apksig.ApkVerifier;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Asks AOSP's verifier about many packages in one process. Reads lines "minSdk TAB maxSdk TAB
 * v4File TAB file" from standard input (empty: not given) and answers each with one line:
 * "verified", "failed TAB first issue" or "exception TAB its class".
 */
public final class ApksigOracle {
  public static void main(String[] args) throws IOException {
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err); // the library prints what it stumbles over
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      answers.println(verdict(line.split("\t", 4)));
    }
  }

  private static String verdict(String[] question) {
    try {
      ApkVerifier.Builder builder = new ApkVerifier.Builder(new File(question[3]));
      if (!question[0].isEmpty()) {
        builder.setMinCheckedPlatformVersion(Integer.parseInt(question[0]));
      }
      if (!question[1].isEmpty()) {
        builder.setMaxCheckedPlatformVersion(Integer.parseInt(question[1]));
      }
      if (!question[2].isEmpty()) {
        builder.setV4SignatureFile(new File(question[2]));
      }
      ApkVerifier.Result result = builder.build().verify();
      // A v4 signature that does not verify is to AOSP as if there were none.
      if (result.isVerified() && !question[2].isEmpty() && !result.isVerifiedUsingV4Scheme()) {
        return "failed\tV4";
      }
      if (result.isVerified()) {
        return "verified";
      }
      return "failed\t" + firstIssue(result);
    } catch (Exception | StackOverflowError | OutOfMemoryError e) {
      return "exception\t" + e.getClass().getSimpleName();
    }
  }

  private static String firstIssue(ApkVerifier.Result result) {
    for (ApkVerifier.IssueWithParams issue : result.getErrors()) {
      return issue.getIssue().name();
    }
    for (ApkVerifier.Result.V1SchemeSignerInfo signer : result.getV1SchemeSigners()) {
      for (ApkVerifier.IssueWithParams issue : signer.getErrors()) {
        return issue.getIssue().name();
      }
    }
    for (ApkVerifier.Result.V2SchemeSignerInfo signer : result.getV2SchemeSigners()) {
      for (ApkVerifier.IssueWithParams issue : signer.getErrors()) {
        return issue.getIssue().name();
      }
    }
    for (ApkVerifier.Result.V3SchemeSignerInfo signer : result.getV3SchemeSigners()) {
      for (ApkVerifier.IssueWithParams issue : signer.getErrors()) {
        return issue.getIssue().name();
      }
    }
    return "none";
  }
}
