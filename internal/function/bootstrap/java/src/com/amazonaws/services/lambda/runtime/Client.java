package com.amazonaws.services.lambda.runtime;

/** As in aws-lambda-java-core, whose place this takes. */
public interface Client {
    String getInstallationId();

    String getAppTitle();

    String getAppVersionName();

    String getAppVersionCode();

    String getAppPackageName();
}
