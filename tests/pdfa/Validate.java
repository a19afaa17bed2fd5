import java.io.File;
import java.util.logging.LogManager;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Prints the flavour that each file claims and whether it keeps to it, with the first clauses that it breaks. */
public class Validate {
  public static void main(String[] files) throws Exception {
    LogManager.getLogManager().reset();
    VeraGreenfieldFoundryProvider.initialise();
    for (String file : files) {
      try (PDFAParser parser = Foundries.defaultInstance().createParser(new File(file))) {
        PDFAValidator validator = Foundries.defaultInstance().createValidator(parser.getFlavour(), false);
        ValidationResult result = validator.validate(parser);
        System.out.println(parser.getFlavour() + " " + (result.isCompliant() ? "kept" : "broken"));
        result.getTestAssertions().stream().limit(5).forEach(Validate::explain);
      }
    }
  }

  private static void explain(TestAssertion broken) {
    System.out.println("  " + broken.getRuleId().getClause() + " " + broken.getMessage());
  }
}
