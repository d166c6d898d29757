package dev.butai.lambda;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Finds the function's classes: in the package's root, its lib/*.jar, and the layers'
 * java/lib/*.jar, in AWS's order. As on AWS, the interfaces of aws-lambda-java-core come from this
 * launcher, whether the function brought a copy or not.
 */
final class FunctionClasses {
    private FunctionClasses() {}

    static URLClassLoader open(String task, String opt) throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        urls.add(url(task + "/"));
        addJars(task + "/lib", urls);
        addJars(opt + "/java/lib", urls);
        return new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getSystemClassLoader());
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
}
