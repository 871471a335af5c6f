package touchmark.lab.host;

import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.os.Looper;
import android.os.SystemClock;
import android.view.MotionEvent;
import android.view.View;
import android.view.ViewGroup;
import android.view.inputmethod.EditorInfo;
import android.view.inputmethod.InputConnection;
import android.widget.AdapterView;
import android.widget.EditText;
import android.widget.TextView;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import touchmark.lab.host.Session.BadCommand;

/** The app's screen as a user has it: to read, to type into, to touch and to photograph. */
final class Screen {
  private final Activity activity;

  Screen(Activity activity) {
    this.activity = activity;
  }

  /** Every visible view that has an id or a text. */
  JSONArray views() throws JSONException {
    JSONArray found = new JSONArray();
    collect(decor(), found);
    return found;
  }

  private void collect(View view, JSONArray found) throws JSONException {
    if (view.getVisibility() != View.VISIBLE) return;
    JSONObject one = new JSONObject();
    if (view.getId() != View.NO_ID && (view.getId() >>> 24) == 0x7f) {
      one.put("id", activity.getResources().getResourceEntryName(view.getId()));
    }
    if (view instanceof TextView text) one.put("text", text.getText().toString());
    if (view instanceof AdapterView<?> list) {
      one.put("selected", String.valueOf(list.getSelectedItem()));
    }
    if (one.length() > 0) {
      found.put(one.put("class", view.getClass().getSimpleName()).put("enabled", view.isEnabled()));
    }
    if (view instanceof ViewGroup group && !(view instanceof AdapterView<?>)) {
      for (int i = 0; i < group.getChildCount(); i++) collect(group.getChildAt(i), found);
    }
  }

  String text(String id) throws BadCommand {
    return find(id, TextView.class).getText().toString();
  }

  boolean isEnabled(String id) throws BadCommand {
    return find(id, View.class).isEnabled();
  }

  /** Replaces the field's text by way of its input connection, as a soft keyboard does. */
  void type(String id, String text) throws BadCommand {
    EditText field = find(id, EditText.class);
    field.requestFocus();
    field.selectAll();
    InputConnection keyboard = field.onCreateInputConnection(new EditorInfo());
    keyboard.commitText(text, 1);
    settle();
  }

  /** Chooses an item of a list or drop-down by its text. */
  void select(String id, String text) throws BadCommand {
    AdapterView<?> list = find(id, AdapterView.class);
    for (int i = 0; i < list.getCount(); i++) {
      if (text.equals(String.valueOf(list.getItemAtPosition(i)))) {
        list.setSelection(i);
        settle();
        return;
      }
    }
    throw new BadCommand("'" + id + "' offers no '" + text + "'");
  }

  /** Touches the middle of a view. */
  void click(String id) throws BadCommand {
    View view = find(id, View.class);
    if (!view.isEnabled()) throw new BadCommand("'" + id + "' is disabled");
    int[] corner = new int[2];
    view.getLocationInWindow(corner);
    float x = corner[0] + view.getWidth() / 2f;
    float y = corner[1] + view.getHeight() / 2f;
    long now = SystemClock.uptimeMillis();
    for (int action : new int[] {MotionEvent.ACTION_DOWN, MotionEvent.ACTION_UP}) {
      MotionEvent touch = MotionEvent.obtain(now, now, action, x, y, 0);
      decor().dispatchTouchEvent(touch);
      touch.recycle();
    }
    settle();
  }

  /** Draws the screen into a PNG file. */
  void save(Path file) throws IOException {
    settle();
    View decor = decor();
    // A tick that still moves from one choice to the other would be drawn where it was.
    decor.jumpDrawablesToCurrentState();
    Bitmap picture =
        Bitmap.createBitmap(decor.getWidth(), decor.getHeight(), Bitmap.Config.ARGB_8888);
    decor.draw(new Canvas(picture));
    Files.createDirectories(file.toAbsolutePath().getParent());
    try (OutputStream out = Files.newOutputStream(file)) {
      if (!picture.compress(Bitmap.CompressFormat.PNG, 100, out)) {
        throw new IOException("the screen cannot be written as PNG");
      }
    }
  }

  private View decor() {
    return activity.getWindow().getDecorView();
  }

  private static void settle() {
    shadowOf(Looper.getMainLooper()).idle();
  }

  private <T> T find(String id, Class<T> type) throws BadCommand {
    int number = activity.getResources().getIdentifier(id, "id", activity.getPackageName());
    View view = number == 0 ? null : activity.findViewById(number);
    if (view == null) throw new BadCommand("no view has the id '" + id + "'");
    if (!type.isInstance(view)) {
      throw new BadCommand("'" + id + "' is no " + type.getSimpleName());
    }
    return type.cast(view);
  }
}
