import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.PathNotFoundException;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import org.apache.velocity.*;
import org.apache.velocity.app.event.*;
import org.apache.velocity.runtime.*;

/**
 * Times Apache Velocity on the documentation's templates: for each line "name milliseconds" it renders that template for
 * that long and answers the nanoseconds of one rendering. That is, as for the engine it is compared with: from the
 * body's bytes to the output's, its decoding and parsing included; templates and JSONPaths are compiled before, and the
 * other values of the request are there. What comes out must be what that engine renders, byte for byte.
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
      byte[] body = read(args[0], name + ".json");
      if (!templates.containsKey(name)) {
        Template t = new Template();
        t.setRuntimeServices(engine);
        t.setData(engine.parse(new StringReader(new String(read(args[0], name + ".vtl"), StandardCharsets.UTF_8)), name));
        t.initDocument();
        templates.put(name, t);
        if (!Arrays.equals(render(t, body), read(args[0], name + ".txt"))) throw new AssertionError(name + " renders otherwise");
      }
      long start = System.nanoTime(), renderings = 0, now;
      do {
        for (int i = 0; i < 50; i++) sink += render(templates.get(name), body).length;
        renderings += 50;
        now = System.nanoTime();
      } while (now - start < limit);
      System.out.println((now - start) / renderings);
    }
  }

  static byte[] read(String folder, String name) throws IOException { return Files.readAllBytes(Paths.get(folder, name)); }

  /** $input with its paths compiled, as Jayway keeps them from version 2.1 on. */
  public static class Input extends VtlServer.Input {
    private static final Map<String, JsonPath> PATHS = new HashMap<>();
    Input(String body) { super(body, PARAMS); }
    @Override public Object path(String p) throws Exception {
      JsonPath path = PATHS.get(p);
      if (path == null) PATHS.put(p, path = JsonPath.compile(p));
      try { return path.read(VtlServer.parse(getBody())); } catch (PathNotFoundException e) { return null; }
    }
  }

  static final Map<String, Map<String, Object>> PARAMS = new LinkedHashMap<>();
  static {
    PARAMS.put("path", Map.of("id", "ada"));
    PARAMS.put("querystring", Map.of("q", "1"));
    PARAMS.put("header", new TreeMap<>(Map.of("Accept", "*/*", "Host", "api.example.test")));
  }

  static final VtlServer.Util UTIL = new VtlServer.Util();
  static final VtlServer.Quiet QUIET = new VtlServer.Quiet();
  static final Map<String, Object> STAGE = Map.of("stage", "staging");
  static final Map<String, Object> CONTEXT = Map.of("httpMethod", "POST", "stage", "staging", "requestId", "r-1",
      "resourcePath", "/user/{id}", "identity", Map.of("sourceIp", "192.0.2.1", "userAgent", "bench"));
  static final StringWriter OUT = new StringWriter(64 << 10);
  static int sink;

  static byte[] render(Template t, byte[] body) throws Exception {
    VelocityContext ctx = new VelocityContext();
    ctx.put("util", UTIL);
    ctx.put("input", new Input(new String(body, StandardCharsets.UTF_8)));
    ctx.put("stageVariables", STAGE);
    ctx.put("context", CONTEXT);
    EventCartridge quiet = new EventCartridge();
    quiet.addEventHandler(QUIET);
    quiet.attachToContext(ctx);
    OUT.getBuffer().setLength(0);
    t.merge(ctx, OUT);
    return OUT.toString().getBytes(StandardCharsets.UTF_8);
  }
}
