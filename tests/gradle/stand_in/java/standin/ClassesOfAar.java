package standin;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.gradle.api.artifacts.transform.InputArtifact;
import org.gradle.api.artifacts.transform.TransformAction;
import org.gradle.api.artifacts.transform.TransformOutputs;
import org.gradle.api.artifacts.transform.TransformParameters;
import org.gradle.api.file.FileSystemLocation;
import org.gradle.api.provider.Provider;

/** The classes of a library: a JAR as it is, and the classes.jar of an AAR. */
public abstract class ClassesOfAar implements TransformAction<TransformParameters.None> {
  @InputArtifact
  public abstract Provider<FileSystemLocation> getInput();

  @Override
  public void transform(TransformOutputs outputs) {
    File input = getInput().get().getAsFile();
    if (!input.getName().endsWith(".aar")) {
      outputs.file(getInput());
      return;
    }
    File out = outputs.file(input.getName().replaceAll("\\.aar$", ".jar"));
    try (ZipFile aar = new ZipFile(input)) {
      ZipEntry classes = aar.getEntry("classes.jar");
      try (InputStream in = aar.getInputStream(classes)) {
        Files.copy(in, out.toPath());
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
