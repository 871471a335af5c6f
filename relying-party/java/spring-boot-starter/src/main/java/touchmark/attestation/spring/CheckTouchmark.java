package touchmark.attestation.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import touchmark.attestation.Level;
import touchmark.attestation.Mode;

/**
 * A handler of Spring MVC, or all of a controller's, whose requests need a valid token. What is
 * left out is as the settings say; a method's annotation replaces its controller's. The result is
 * in the request's attribute {@code touchmark.result}.
 */
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
public @interface CheckTouchmark {
  /** One mode, or none. */
  Mode[] mode() default {};

  /** Of 100 devices, how many the check is enforced for: one number, or none. */
  int[] percent() default {};

  /** The least assurance level, or none. */
  Level[] level() default {};

  /** The headers that the token must be bound to, in this order. */
  String[] bindingHeaders() default {};

  /** Whether a token counts once here: one value, or none. */
  boolean[] singleUse() default {};
}
