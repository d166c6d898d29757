package dev.butai.lambda;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Loads the function's classes: from the package's root, its lib/*.jar, and the layers'
 * java/lib/*.jar, in AWS's order. The function's own copy of aws-lambda-java-core wins; a
 * function that was packed without one gets this launcher's, as AWS's runtime has it too.
 */
final class FunctionClassLoader extends URLClassLoader {
    private static final String CORE = "com.amazonaws.services.lambda.runtime.";

    static {
        registerAsParallelCapable();
    }

    private FunctionClassLoader(URL[] urls) {
        super(urls, ClassLoader.getPlatformClassLoader());
    }

    static ClassLoader open(String task, String layers) throws IOException {
        List<URL> urls = new ArrayList<>();
        urls.add(url(task + "/"));
        addJars(task + "/lib", urls);
        addJars(layers + "/lib", urls);
        return new FunctionClassLoader(urls.toArray(new URL[0]));
    }

    private static void addJars(String dir, List<URL> urls) throws MalformedURLException {
        String[] names = new File(dir).list();
        if (names == null) {
            return;
        }
        Arrays.sort(names);
        for (String name : names) {
            if (name.endsWith(".jar")) {
                urls.add(url(dir + "/" + name));
            }
        }
    }

    private static URL url(String path) throws MalformedURLException {
        return new URL("file", null, -1, path);
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        try {
            return super.findClass(name);
        } catch (ClassNotFoundException e) {
            if (!name.startsWith(CORE)) {
                throw e;
            }
            byte[] code = ownCore(name);
            if (code == null) {
                throw e;
            }
            return defineClass(name, code, 0, code.length);
        }
    }

    /** The launcher's copy is defined here anew, so that it can refer to the function's classes. */
    private static byte[] ownCore(String name) {
        try (InputStream in = ClassLoader.getSystemResourceAsStream(name.replace('.', '/') + ".class")) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            return null;
        }
    }
}
