import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** Runs the statements of a file in a Flink of its own, with ${NAME} taken from the environment. */
public class RunSql {
  public static void main(String[] args) throws Exception {
    String script = Files.readString(Path.of(args[0]));
    for (var variable : System.getenv().entrySet()) {
      script = script.replace("${" + variable.getKey() + "}", variable.getValue());
    }
    try {
      run(script);
    } catch (RuntimeException failure) {
      // One of the causes names the topic, the field or the address; the stack traces are Flink's.
      for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
        System.err.println(cause.getMessage());
      }
      System.exit(1);
    }
  }

  private static void run(String script) {
    TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
    // A sum is printed when the topic has been read, not once for each record.
    tables.getConfig().set("table.exec.mini-batch.enabled", "true");
    tables.getConfig().set("table.exec.mini-batch.allow-latency", "10 s");
    tables.getConfig().set("table.exec.mini-batch.size", "100000");
    for (String statement : script.split(";\\s*\\n")) {
      if (!statement.isBlank()) tables.executeSql(statement).print();
    }
  }
}
