"""What the client and the runner ask of AWS, with the standard library: importing boto3 takes longer than a submit."""
