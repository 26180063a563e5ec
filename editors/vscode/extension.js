// Starts `obit dap` for each debug session of type "obit".
"use strict";
const vscode = require("vscode");

function activate(context) {
  const factory = {
    createDebugAdapterDescriptor() {
      const settings = vscode.workspace.getConfiguration("obit");
      const options = ["dap", ...settings.get("arguments", [])];
      return new vscode.DebugAdapterExecutable(settings.get("path", "obit"), options);
    },
  };
  const openCore = async () => {
    const chosen = await vscode.window.showOpenDialog({ title: "Core dump", canSelectMany: false });
    if (!chosen) return;
    const coreFile = chosen[0].fsPath;
    await vscode.debug.startDebugging(undefined, {
      type: "obit", request: "launch", name: `Core dump ${coreFile}`, coreFile,
    });
  };
  context.subscriptions.push(
    vscode.debug.registerDebugAdapterDescriptorFactory("obit", factory),
    vscode.commands.registerCommand("obit.openCore", openCore),
  );
}

module.exports = { activate };
