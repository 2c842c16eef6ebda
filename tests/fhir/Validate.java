import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/** Validates each bundle of a folder against Bundle-uv-ips, offline: one line a message, tab between its parts. */
public class Validate {
  private static final String PROFILE = "http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips";

  public static void main(String[] folders) throws Exception {
    FhirContext context = FhirContext.forR4();
    PrePopulatedValidationSupport definitions = new PrePopulatedValidationSupport(context);
    for (Path file : in(folders[1])) {
      definitions.addResource(context.newJsonParser().parseResource(Files.readString(file)));
    }
    FhirInstanceValidator rules = new FhirInstanceValidator(new ValidationSupportChain(
        new DefaultProfileValidationSupport(context), definitions, new InMemoryTerminologyServerValidationSupport(context),
        new CommonCodeSystemsTerminologyService(context), new SnapshotGeneratingValidationSupport(context)));
    FhirValidator validator = context.newValidator().registerValidatorModule(rules);
    ValidationOptions options = new ValidationOptions().addProfile(PROFILE);
    for (Path file : in(folders[0])) {
      for (SingleValidationMessage said : validator.validateWithResult(Files.readString(file), options).getMessages()) {
        if (said.getSeverity() == ResultSeverityEnum.INFORMATION) continue;
        System.out.println(String.join("\t", file.getFileName().toString(), said.getSeverity().toString(),
            String.valueOf(said.getLocationString()), said.getMessage().replaceAll("\\s+", " ")));
      }
      System.out.println(file.getFileName() + "\tDONE\t\t");
    }
  }

  private static List<Path> in(String folder) throws IOException {
    try (Stream<Path> files = Files.list(Path.of(folder))) {
      return files.filter(one -> one.toString().endsWith(".json")).sorted().toList();
    }
  }
}
