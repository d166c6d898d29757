package com.amazonaws.services.lambda.crac;

/** Some resources could not be taken up again; the suppressed exceptions say why. */
public class RestoreException extends Exception {
    private static final long serialVersionUID = 1;
}
