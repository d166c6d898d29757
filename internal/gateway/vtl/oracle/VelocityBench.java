import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import org.apache.velocity.*;
import org.apache.velocity.app.event.*;
import org.apache.velocity.runtime.*;
import org.apache.velocity.runtime.parser.node.SimpleNode;

/**
 * Times Apache Velocity on the documentation's templates: for each line "name milliseconds" it renders that template for
 * that long and answers the nanoseconds of one rendering, the parsing of its body included. Templates are parsed once.
 */
public class VelocityBench {
  public static void main(String[] args) throws Exception {
    RuntimeInstance engine = new RuntimeInstance();
    engine.setProperty(RuntimeConstants.RUNTIME_LOG_LOGSYSTEM_CLASS, "org.apache.velocity.runtime.log.NullLogChute");
    engine.init();
    Map<String, Template> templates = new HashMap<>();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    String line;
    while ((line = in.readLine()) != null) {
      String name = line.substring(0, line.indexOf(' '));
      long limit = Long.parseLong(line.substring(name.length() + 1)) * 1_000_000;
      if (!templates.containsKey(name)) {
        SimpleNode root = engine.parse(new StringReader(read(args[0], name + ".vtl")), name);
        Template t = new Template();
        t.setRuntimeServices(engine);
        t.setData(root);
        t.initDocument();
        templates.put(name, t);
      }
      String body = read(args[0], name + ".json");
      long start = System.nanoTime(), renderings = 0, now;
      do {
        for (int i = 0; i < 50; i++) render(templates.get(name), body);
        renderings += 50;
        now = System.nanoTime();
      } while (now - start < limit);
      System.out.println((now - start) / renderings);
    }
  }

  static String read(String folder, String name) throws IOException {
    return new String(Files.readAllBytes(Paths.get(folder, name)), StandardCharsets.UTF_8);
  }

  static int sink;

  static void render(Template t, String body) throws Exception {
    Map<String, Map<String, Object>> params = new LinkedHashMap<>();
    params.put("path", Map.of("id", "ada"));
    params.put("querystring", Map.of("q", "1"));
    params.put("header", new TreeMap<>(Map.of("Accept", "*/*", "Host", "api.example.test")));
    VelocityContext ctx = new VelocityContext();
    ctx.put("util", new VtlServer.Util());
    ctx.put("input", new VtlServer.Input(body, params));
    ctx.put("stageVariables", Map.of("stage", "staging"));
    ctx.put("context", Map.of("httpMethod", "POST", "stage", "staging", "requestId", "r-1", "resourcePath", "/user/{id}",
        "identity", Map.of("sourceIp", "192.0.2.1", "userAgent", "bench")));
    EventCartridge quiet = new EventCartridge();
    quiet.addEventHandler(new VtlServer.Quiet());
    quiet.attachToContext(ctx);
    StringWriter w = new StringWriter(4096);
    t.merge(ctx, w);
    sink += w.getBuffer().length();
  }
}
