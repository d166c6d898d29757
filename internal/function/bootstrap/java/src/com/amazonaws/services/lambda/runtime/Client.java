package com.amazonaws.services.lambda.runtime;

/** For functions that were packed without aws-lambda-java-core. */
public interface Client {
    String getInstallationId();

    String getAppTitle();

    String getAppVersionName();

    String getAppVersionCode();

    String getAppPackageName();
}
