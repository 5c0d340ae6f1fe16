"""Where CodePipeline answers: the row of moto's table that pipesim replaces."""

from pipesim.cloud.codepipeline.responses import CodePipelineResponse

url_bases = [r"https?://codepipeline\.(.+)\.amazonaws\.com"]

url_paths = {"{0}/$": CodePipelineResponse.dispatch}
